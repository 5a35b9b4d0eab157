import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError } from '../errors.ts'
import type { AppendContext } from './append-rows.ts'
import { filesOfDataset } from './dataset-files.ts'
import { findRows } from './row-positions.ts'
import { addTombstones } from './tombstone-file.ts'

/**
 * Marks predictions as removed, durably. Those without rows need no mark; when a file cannot be read, whatever may be in it gets one.
 * Fails with `tombstones_corrupt`, and changes nothing, when the list of removed predictions is damaged.
 */
export const deleteBatch = async (context: AppendContext, ids: ReadonlySet<string>, datasetName?: string): Promise<number> => {
  const tombstones = await readTombstones(context.folder.path)
  const wanted = new Set([...ids].filter((id) => !tombstones.has(id)))
  if (wanted.size === 0) return 0
  return addTombstones(context.folder, await presentIds(context, wanted, datasetName))
}

const presentIds = async (
  { folder, engine }: AppendContext,
  ids: ReadonlySet<string>,
  datasetName: string | undefined,
): Promise<ReadonlySet<string>> => {
  const present = new Set<string>()
  const names = datasetName === undefined ? await folder.names() : await filesOfDataset(folder, engine, datasetName)
  for (const name of names) {
    try {
      const reader = await folder.open(name, engine)
      const found = await findRows(reader, ids, datasetName).finally(() => reader.close())
      for (const { prediction_id } of found.values()) present.add(prediction_id)
    } catch (error) {
      if (isStorageError(error, 'arrays_corrupt')) return ids
      throw error
    }
  }
  return present
}
