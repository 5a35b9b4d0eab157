import { type AppendContext, appendRows } from './append-rows.ts'
import type { ArrayRecord } from './array-record.ts'
import { formsOfFile, recordBatch, recordsByFile } from './record-batches.ts'
import { clearSaved } from './tombstone-file.ts'

/**
 * Writes arrays into the files of their datasets, each file as a whole, one after the other. Every record is checked before the first
 * file changes. The number of rows that were not there bit for bit.
 */
export const saveBatch = async (context: AppendContext, records: readonly ArrayRecord[]): Promise<number> => {
  const files = [...recordsByFile(records)]
  const batches = []
  for (const [name, rows] of files)
    batches.push({ name, batch: recordBatch(rows, await formsOfFile(context.folder, context.engine, name)) })
  let written = 0
  for (const { name, batch } of batches) written += await appendRows(context, name, batch)
  await clearSaved(
    context.folder,
    records.map(({ prediction_id }) => prediction_id),
  )
  return written
}
