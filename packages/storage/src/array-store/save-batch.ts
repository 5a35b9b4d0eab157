import { type AppendContext, appendRows } from './append-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayRecord } from './array-record.ts'
import { recordBatch, recordsByFile } from './record-batches.ts'
import { dropRemovedElsewhere, findRemovedElsewhere, removedIds } from './removed-elsewhere.ts'
import { clearSaved } from './tombstone-file.ts'

/**
 * Writes arrays into the files of their datasets, each file as a whole, one after the other. Every record is checked before the first
 * file changes. Removed rows of the same ids in other datasets go, for good. The number of rows that were not there bit for bit.
 */
export const saveBatch = async (context: AppendContext, records: readonly ArrayRecord[]): Promise<number> => {
  const { folder, engine } = context
  const readers: (ArrayFileReader | null)[] = []
  try {
    const batches = []
    for (const [name, rows] of recordsByFile(records)) {
      const reader = await folder.openIfThere(name, engine)
      readers.push(reader)
      batches.push({ name, reader, batch: recordBatch(rows, reader?.forms ?? []) })
    }
    const removed = await removedIds(context)
    const elsewhere = await findRemovedElsewhere(
      context,
      records.filter(({ prediction_id }) => removed.has(prediction_id)),
    )
    let written = 0
    for (const { name, reader, batch } of batches) written += await appendRows(context, name, reader, batch)
    await dropRemovedElsewhere(context, elsewhere)
    await clearSaved(
      folder,
      records.map(({ prediction_id }) => prediction_id),
    )
    return written
  } finally {
    for (const reader of readers) reader?.closeLater()
  }
}
