import { randomUUID } from 'node:crypto'
import { emptyTrash, listTrash } from '@nirs-workspace/storage'
import type { EmptyTrashReport, TrashEntry } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { printResult, runVerb } from '../output.ts'
import { formatBytes } from '../table.ts'
import { findOperation } from './find-operation.ts'
import { describeOperations } from './trash.ts'

export const addEmptyTrash = (program: Command): void => {
  withChangeOptions(
    program
      .command('empty-trash')
      .description('give up what was removed, for good: one operation, or all of them')
      .argument('<path>')
      .argument('[operation_id]'),
  ).action((path: string, operation: string | undefined, options: ChangeOptions) => runVerb(options, () => empty(path, operation, options)))
}

const empty = async (path: string, operation: string | undefined, options: ChangeOptions): Promise<number> => {
  const rows = operation === undefined ? (await listTrash(path)).rows : [await findOperation(path, operation)]
  const bytes = rows.reduce((sum, entry) => sum + entry.bytes, 0)
  if (options.dryRun === true || rows.length === 0) {
    printResult(options, { operations: rows.map(({ operation_id }) => operation_id), bytes, rows }, () => describe(rows, bytes))
    return exitCodes.done
  }
  if (!(await agrees(describe(rows, bytes), 'This cannot be undone. Remove for good?', options))) return exitCodes.done
  const report = await emptyEach(path, rows)
  printResult(options, report, ({ operations, bytes_freed }) => `removed for good: ${operations.length}, freed ${formatBytes(bytes_freed)}`)
  return exitCodes.done
}

/** One by one, so that what has come to the trash since it was shown stays. */
const emptyEach = async (path: string, rows: readonly TrashEntry[]): Promise<EmptyTrashReport> => {
  const operations: string[] = []
  let bytes_freed = 0
  for (const { operation_id } of rows) {
    const emptied = await emptyTrash(path, { operation: operation_id, jobId: randomUUID() })
    operations.push(...emptied.operations)
    bytes_freed += emptied.bytes_freed
  }
  return { operations, bytes_freed }
}

const describe = (rows: readonly TrashEntry[], bytes: number): string =>
  rows.length === 0 ? 'The trash is empty.' : `Would remove for good, freeing ${formatBytes(bytes)}:\n${describeOperations(rows)}`
