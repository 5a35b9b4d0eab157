import { randomUUID } from 'node:crypto'
import { emptyTrash, listTrash } from '@nirs-workspace/storage'
import type { EmptyTrashReport, TrashEntry } from '@nirs-workspace/types'
import type { Command } from 'commander'
import { agrees, type ChangeOptions, withChangeOptions } from '../change-options.ts'
import { exitCodes } from '../exit-codes.ts'
import { printResult, runVerb } from '../output.ts'
import { formatBytes } from '../table.ts'
import { wrapText } from '../wrap-text.ts'
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
  const listed = operation === undefined ? (await listTrash(path)).rows : [await findOperation(path, operation)]
  const rows = operation === undefined ? listed.filter(({ damaged }) => !damaged) : listed
  const damaged = listed.filter((entry) => !rows.includes(entry)).map(({ operation_id }) => operation_id)
  const bytes = rows.reduce((sum, entry) => sum + entry.bytes, 0)
  const preview = describe(rows, bytes, damaged)
  if (options.dryRun === true || rows.length === 0) {
    printResult(options, { operations: rows.map(({ operation_id }) => operation_id), damaged, bytes, rows }, () => preview)
    return exitCodes.done
  }
  if (!(await agrees(preview, 'This cannot be undone. Remove for good?', options))) return exitCodes.done
  const report = { ...(await emptyEach(path, rows)), damaged }
  printResult(options, report, ({ operations, bytes_freed }) =>
    [`removed for good: ${operations.length}, freed ${formatBytes(bytes_freed)}`, ...describeDamaged(damaged)].join('\n'),
  )
  return exitCodes.done
}

/** One by one, so that what has come to the trash since it was shown stays. */
const emptyEach = async (path: string, rows: readonly TrashEntry[]): Promise<Pick<EmptyTrashReport, 'operations' | 'bytes_freed'>> => {
  const operations: string[] = []
  let bytes_freed = 0
  for (const { operation_id } of rows) {
    const emptied = await emptyTrash(path, { operation: operation_id, jobId: randomUUID() })
    operations.push(...emptied.operations)
    bytes_freed += emptied.bytes_freed
  }
  return { operations, bytes_freed }
}

const describe = (rows: readonly TrashEntry[], bytes: number, damaged: readonly string[]): string => {
  const what = `Would remove for good, freeing ${formatBytes(bytes)}:\n${describeOperations(rows)}`
  const nothing = damaged.length === 0 ? ['The trash is empty.'] : []
  return [...(rows.length === 0 ? nothing : [what]), ...describeDamaged(damaged)].join('\n')
}

const describeDamaged = (damaged: readonly string[]): string[] =>
  damaged.map((operation) =>
    wrapText(`Left, as it is damaged: ${operation}. Restore its manifest.json from a backup, or name it to give it up.`),
  )
