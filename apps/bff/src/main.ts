#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addDemo } from './cli/demo.ts'
import { exitCodes } from './cli/exit-codes.ts'
import { addExport } from './cli/export.ts'
import { addInspect } from './cli/inspect.ts'
import { addList } from './cli/list.ts'
import { addMigrate } from './cli/migrate.ts'
import { addOpenApi } from './cli/openapi.ts'
import { addRollback } from './cli/rollback.ts'
import { addServe } from './cli/serve.ts'
import { addShow } from './cli/show.ts'
import { addStats } from './cli/stats.ts'
import { addTop } from './cli/top.ts'
import { addVerify } from './cli/verify.ts'
import { version } from './version.ts'

const program = new Command('nirs-workspace')
  .description('Browse, migrate and look after prediction workspaces of the NIRS library nirs4all')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(add --help for what there is)')

const verbs = [addServe, addDemo, addInspect, addMigrate, addRollback, addVerify, addList, addTop, addShow, addExport, addStats, addOpenApi]
for (const addVerb of verbs) addVerb(program)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage
}
