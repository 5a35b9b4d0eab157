import { isStorageError, StorageError } from '../errors.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import { thoughOthersWent } from './damaged-file.ts'
import { filesOfDataset } from './dataset-files.ts'
import { replacedRows } from './last-rows.ts'
import { rewriteFile } from './rewrite-file.ts'
import { RowMarks } from './row-marks.ts'

/**
 * Removes the rows of one dataset, all or those of these predictions. A file goes with its last row; other datasets in it stay. False when
 * there were no such rows. Of the errors of files that cannot be read or written anew the first is thrown when the others are done, with all
 * of their paths as `ids`.
 */
export const deleteDataset = async (context: AppendContext, datasetName: string, ids?: ReadonlySet<string>): Promise<boolean> => {
  let existed = false
  const errors: StorageError[] = []
  for (const name of await filesOfDataset(context.folder, context.engine, datasetName)) {
    try {
      if (await deleteFrom(context, name, datasetName, ids)) existed = true
    } catch (error) {
      if (!isStorageError(error, 'arrays_corrupt', 'store_too_new')) throw error
      errors.push(error)
    }
  }
  if (errors[0] !== undefined) {
    const { code, message, fields } = existed ? thoughOthersWent(errors[0], 'its rows in other files') : errors[0]
    throw new StorageError(code, message, { ...fields, ids: errors.map((error) => error.fields.path ?? '') }, errors[0])
  }
  return existed
}

const deleteFrom = async (context: AppendContext, name: string, datasetName: string, ids?: ReadonlySet<string>): Promise<boolean> => {
  const { folder } = context
  const stamp = await folder.stamp(name)
  const reader = await folder.open(name, context.engine)
  try {
    const all = await rowsOfDataset(reader, datasetName, ids)
    if (all.count === 0) return false
    if (all.count < reader.rows) await rewriteFile(context, name, stamp, reader, { all, replaced: await replacedRows(reader) })
    else await folder.remove(name, stamp)
    return true
  } finally {
    await reader.close()
  }
}

// By the column alone: without ids named, rows that have none belong to the dataset too.
const rowsOfDataset = async (reader: ArrayFileReader, datasetName: string, ids?: ReadonlySet<string>): Promise<RowMarks> => {
  const marks = new RowMarks(reader.rows)
  for await (const { firstRow, block } of reader.blocks(ids === undefined ? ['dataset_name'] : ['dataset_name', 'prediction_id'])) {
    const rows = ids === undefined ? null : textsOf(columnOf(block, 'prediction_id'))
    textsOf(columnOf(block, 'dataset_name')).forEach((dataset, row) => {
      const id = rows?.[row] ?? null
      if ((dataset ?? '') === datasetName && (ids === undefined || (id !== null && ids.has(id)))) marks.add(firstRow + row)
    })
  }
  return marks
}
