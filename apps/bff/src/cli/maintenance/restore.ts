import { randomUUID } from 'node:crypto'
import { checkRestore, restoreTrash } from '@nirs-workspace/storage'
import type { RestorePreview, RestoreReport, TrashEntry } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, recoverFirst, withChangeOptions } from '../change-options.ts'
import { collect } from '../collect-values.ts'
import { exitCodes } from '../exit-codes.ts'
import { interruptible } from '../interruptible.ts'
import { printResult, runVerb } from '../output.ts'
import { showProgress } from '../progress.ts'
import { printable } from '../table.ts'
import { wrapText } from '../wrap-text.ts'
import { describeCounts } from './describe-counts.ts'
import { findOperation } from './find-operation.ts'

interface Options extends ChangeOptions {
  id: string[]
}

export const addRestore = (program: Command): void => {
  withChangeOptions(
    program
      .command('restore')
      .description('put back what an operation has removed')
      .argument('<path>')
      .argument('<operation_id>')
      .option('--id <id>', 'only this prediction, chain, pipeline or run with what belongs to it; repeatable', collect, []),
  ).action((path: string, operation: string, options: Options) => runVerb(options, () => restore(path, operation, options)))
}

const restore = async (path: string, operation: string, options: Options): Promise<number> => {
  await recoverFirst(path, options)
  const entry = await findOperation(path, operation)
  const ids = options.id.length === 0 ? undefined : options.id
  if (options.dryRun === true) {
    printResult(options, { ...entry, ...(await checkRestore(path, operation, ids)) }, describePreview)
    return exitCodes.done
  }
  const question = ids === undefined ? 'Restore it now?' : `Restore ${ids.length} of it now?`
  // Who has agreed already reads what comes back, and the warnings, in the report.
  if (options.yes !== true) {
    const preview = await checkRestore(path, operation, ids)
    if (!(await agrees(describePreview({ ...entry, ...preview }), question, options))) return exitCodes.done
  }
  printResult(options, await run(path, operation, ids), describeReport)
  return exitCodes.done
}

const run = async (path: string, operation: string, ids: readonly string[] | undefined): Promise<RestoreReport> => {
  const progress = showProgress()
  try {
    return await interruptible((signal) =>
      restoreTrash(path, operation, {
        jobId: randomUUID(),
        ids,
        signal,
        onProgress: progress.report,
      }),
    )
  } finally {
    progress.done()
  }
}

const describePreview = ({
  operation_id,
  created_at,
  counts,
  partly_restored,
  warnings,
}: Omit<TrashEntry, keyof RestorePreview> & RestorePreview): string =>
  [
    `${operation_id}, removed ${created_at.slice(0, 19).replace('T', ' ')} UTC${partly_restored ? ', some of it restored since' : ''}. Comes back:`,
    describeCounts(counts),
    ...describeWarnings(warnings),
  ].join('\n')

const describeReport = ({ counts, remaining, warnings }: RestoreReport): string =>
  [
    'Restored:',
    describeCounts(counts),
    ...describeWarnings(warnings),
    ...(remaining ? ['The rest of the operation is still in the trash.'] : []),
  ].join('\n')

const describeWarnings = (warnings: readonly string[]): string[] => warnings.map((warning) => wrapText(`warning: ${printable(warning)}`))
