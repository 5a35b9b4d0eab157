import { randomUUID } from 'node:crypto'
import { rollbackMigration } from '@nirs-workspace/storage'
import type { Command } from 'commander'
import { agrees, settleFirst } from './change-options.ts'
import { exitCodes } from './exit-codes.ts'
import { type OutputOptions, printResult, runVerb } from './output.ts'
import { showProgress } from './progress.ts'

interface Options extends OutputOptions {
  yes?: boolean
  force?: boolean
}

export const addRollback = (program: Command): void => {
  program
    .command('rollback')
    .description('put the store back as it was before the migration')
    .argument('<path>')
    .option('--yes', 'do not ask')
    .option('--force', 'also when the workspace was changed since; the newer state is kept aside')
    .option('--json', 'print one JSON document')
    .action((path: string, options: Options) => runVerb(options, () => rollback(path, options)))
}

const rollback = async (path: string, options: Options): Promise<number> => {
  if (!(await agrees('', 'Put the original store back?', options))) return exitCodes.done
  await settleFirst(path)
  const progress = showProgress()
  try {
    const report = await rollbackMigration(path, { jobId: randomUUID(), force: options.force, onProgress: progress.report })
    progress.done()
    printResult(options, report, ({ restored_from }) => `restored from ${restored_from}`)
    return exitCodes.done
  } finally {
    progress.done()
  }
}
