import { isStorageError, type StorageError } from '../errors.ts'
import { counted } from '../workspace/counted-text.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import { thoughOthersWent } from './damaged-file.ts'
import { replacedRows, visitRowsOf } from './last-rows.ts'
import { rewriteFile } from './rewrite-file.ts'
import { RowMarks } from './row-marks.ts'
import { clearSaved } from './tombstone-file.ts'

export interface WantedRows {
  readonly ids: ReadonlySet<string>
  /** Of the rows with one of the ids, and a few others. */
  readonly isWanted: (id: string, dataset: string) => boolean
}

/**
 * Removes all rows of these predictions at once: a mark in the list of removed predictions would not do for one that the metadata goes on
 * knowing, as compaction takes such a mark back. A file goes with its last row. One that cannot be read or written anew does not keep the
 * others from being done; its error is thrown at the end, and the list stays as it is.
 */
export const dropArrays = async (context: AppendContext, ids: ReadonlySet<string>): Promise<number> => {
  let dropped = 0
  const errors: StorageError[] = []
  for (const name of await context.folder.names()) {
    try {
      dropped += await dropFrom(context, name, { ids, isWanted: (id) => ids.has(id) })
    } catch (error) {
      if (!isStorageError(error, 'arrays_corrupt', 'store_too_new')) throw error
      errors.push(error)
    }
  }
  if (errors[0] !== undefined)
    throw dropped === 0 ? errors[0] : thoughOthersWent(errors[0], `${counted(dropped, 'row', 'rows')} of other files`)
  await clearSaved(context.folder, ids)
  return dropped
}

/** Writes a file anew without these rows. Their number. */
export const dropFrom = async (context: AppendContext, name: string, rows: WantedRows): Promise<number> => {
  const { folder } = context
  const stamp = await folder.stamp(name)
  const reader = await folder.open(name, context.engine)
  try {
    const all = await rowsToDrop(reader, rows)
    if (all.count === 0) return 0
    await rewriteFile(context, name, stamp, reader, { all, replaced: await replacedRows(reader) })
    return all.count
  } finally {
    await reader.close()
  }
}

export const rowsToDrop = async (reader: ArrayFileReader, { ids, isWanted }: WantedRows): Promise<RowMarks> => {
  const all = new RowMarks(reader.rows)
  await visitRowsOf(reader, ids, (row, id, dataset) => {
    if (isWanted(id, dataset)) all.add(row)
  })
  return all
}
