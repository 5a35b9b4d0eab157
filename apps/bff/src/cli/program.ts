import { Command, CommanderError } from 'commander'
import { version } from '../version.ts'
import { addDemo } from './demo.ts'
import { exitCodes } from './exit-codes.ts'
import { addExport } from './export.ts'
import { addExportChain } from './export-chain.ts'
import { addExportPipeline } from './export-pipeline.ts'
import { addExportPredictions } from './export-predictions.ts'
import { addExportRun } from './export-run.ts'
import { addInspect } from './inspect.ts'
import { addLibrary } from './library/library.ts'
import { addList } from './list.ts'
import { addCleanDeadLinks } from './maintenance/clean-dead-links.ts'
import { addCompact } from './maintenance/compact.ts'
import { addEmptyTrash } from './maintenance/empty-trash.ts'
import { addGc } from './maintenance/gc.ts'
import { addRemoveBottom } from './maintenance/remove-bottom.ts'
import { addRemoveChain } from './maintenance/remove-chain.ts'
import { addRemoveDataset } from './maintenance/remove-dataset.ts'
import { addRemovePipeline } from './maintenance/remove-pipeline.ts'
import { addRemovePredictions } from './maintenance/remove-predictions.ts'
import { addRemoveRun } from './maintenance/remove-run.ts'
import { addRestore } from './maintenance/restore.ts'
import { addTrash } from './maintenance/trash.ts'
import { addVacuum } from './maintenance/vacuum.ts'
import { addMerge } from './merge.ts'
import { addMigrate } from './migrate.ts'
import { addOpenApi } from './openapi.ts'
import { outliveOutputs } from './outlive-outputs.ts'
import { printUsageProblem } from './output.ts'
import { addRescue } from './rescue.ts'
import { addResolveDatasets } from './resolve-datasets.ts'
import { addRollback } from './rollback.ts'
import { addServe } from './serve.ts'
import { addShow } from './show.ts'
import { addSql } from './sql.ts'
import { addStats } from './stats.ts'
import { addTop } from './top.ts'
import { addVerify } from './verify.ts'

const groups: readonly (readonly [heading: string, verbs: readonly ((program: Command) => void)[]])[] = [
  ['The app:', [addServe, addDemo, addOpenApi]],
  ['Looking, which changes nothing:', [addInspect, addStats, addVerify, addList, addTop, addShow, addSql, addResolveDatasets]],
  ['Taking along:', [addExport, addExportPredictions, addExportRun, addExportPipeline, addExportChain]],
  ['Merging:', [addMerge]],
  ['Migrating:', [addMigrate, addRollback, addRescue]],
  [
    'Removing, which shows what goes, asks, and can be undone:',
    [addCleanDeadLinks, addRemoveBottom, addRemoveRun, addRemovePipeline, addRemoveChain, addRemoveDataset, addRemovePredictions, addGc],
  ],
  ['Templates of pipelines:', [addLibrary]],
  ['The trash:', [addTrash, addRestore, addEmptyTrash]],
  ['Space:', [addCompact, addVacuum]],
]

/** Every verb with its options. */
export const makeProgram = (): Command => {
  const program = new Command('nirs-workspace')
    .description('Browse, migrate and look after prediction workspaces of the NIRS library nirs4all')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureHelp({ subcommandTerm: (command) => command.name() })
  for (const [heading, verbs] of groups) {
    program.commandsGroup(heading)
    for (const addVerb of verbs) addVerb(program)
  }
  program.commandsGroup('Help:').helpCommand('help [verb]', 'what a verb takes')
  // A verb inherits these only when it is told to.
  inheritSettings(program)
  return program
}

const inheritSettings = (command: Command): void => {
  for (const verb of command.commands) {
    verb.copyInheritedSettings(command)
    inheritSettings(verb)
  }
}

/** `help library save` as `library help save`: the help of a verb knows what is inside of it. */
const inside = (words: readonly string[]): string[] => {
  const [first, group, ...verbs] = words
  return first === 'help' && group !== undefined && verbs.length > 0 ? [group, 'help', ...verbs] : [...words]
}

/** Reads the command line and runs its verb, which sets the exit code. */
export const runProgram = async (): Promise<void> => {
  outliveOutputs()
  try {
    await makeProgram().parseAsync(inside(process.argv.slice(2)), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    // What was wrong is on standard error by now; whoever asked for a document gets one as well.
    if (error.exitCode !== 0 && process.argv.includes('--json')) printUsageProblem(error.message)
  }
}
