import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import { addDemo } from './demo.ts'
import { exitCodes } from './exit-codes.ts'
import { addExport } from './export.ts'
import { addInspect } from './inspect.ts'
import { addList } from './list.ts'
import { addMigrate } from './migrate.ts'
import { addOpenApi } from './openapi.ts'
import { printUsageProblem } from './output.ts'
import { addRollback } from './rollback.ts'
import { addServe } from './serve.ts'
import { addShow } from './show.ts'
import { addStats } from './stats.ts'
import { addTop } from './top.ts'
import { addVerify } from './verify.ts'

const verbs = [addServe, addDemo, addInspect, addMigrate, addRollback, addVerify, addList, addTop, addShow, addExport, addStats, addOpenApi]

/** Reads the command line and runs its verb, which sets the exit code. */
export const runProgram = async (): Promise<void> => {
  const program = new Command('nirs-workspace')
    .description('Browse, migrate and look after prediction workspaces of the NIRS library nirs4all')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
  for (const addVerb of verbs) addVerb(program)
  // A verb inherits these only when it is told to.
  for (const command of program.commands) command.copyInheritedSettings(program)
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    // What was wrong is on standard error by now; whoever asked for a document gets one as well.
    if (error.exitCode !== 0 && process.argv.includes('--json')) printUsageProblem(error.message)
  }
}
