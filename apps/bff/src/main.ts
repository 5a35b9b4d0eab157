#!/usr/bin/env node
import nodeModule from 'node:module'
import { join } from 'node:path'
import { userFolders } from './folders.ts'

const neededNode = 24

if (Number(process.versions.node.split('.')[0]) >= neededNode) {
  // Compiled code is kept for the next start: ours, and that of the short-lived processes, which start twice as fast with it.
  const cache = process.env.NODE_COMPILE_CACHE ?? join(userFolders().cache, 'compiled')
  process.env.NODE_COMPILE_CACHE = cache
  nodeModule.enableCompileCache(cache)
  const { runProgram } = await import('./cli/program.ts')
  await runProgram()
} else {
  process.stderr.write(
    `NIRS Workspace needs Node ${neededNode} or later, and this is ${process.versions.node}. Nothing was opened or changed.\n` +
      'In the repository, "npm start" and "npm run -s cli -- VERB" bring their own.\n',
  )
  process.exitCode = 2
}
