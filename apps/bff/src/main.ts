#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { userFolders } from './folders.ts'

// Compiled code is kept for the next start: ours, and that of the short-lived processes, which start twice as fast with it.
const cache = process.env.NODE_COMPILE_CACHE ?? join(userFolders().cache, 'compiled')
process.env.NODE_COMPILE_CACHE = cache
enableCompileCache(cache)

const { runProgram } = await import('./cli/program.ts')
await runProgram()
