import { isStorageError } from '../errors.ts'
import type { AppendContext } from './append-rows.ts'
import { ArrayFileReader } from './array-file-reader.ts'
import { visitRowsOf } from './last-rows.ts'

/**
 * Those of the ids that have rows in these files, of other datasets than this one; all of them when one of the files cannot tell. Paths are
 * relative to the workspace.
 */
export const idsInFiles = async (
  { folder, engine }: AppendContext,
  paths: readonly string[],
  ids: ReadonlySet<string>,
  except?: string,
): Promise<ReadonlySet<string>> => {
  const found = new Set<string>()
  if (ids.size === 0) return found
  for (const path of paths) {
    try {
      const reader = await ArrayFileReader.open(folder.root, path, engine, folder.hashes)
      await visitRowsOf(reader, ids, (_, id, dataset) => {
        if (ids.has(id) && dataset !== except) found.add(id)
      }).finally(() => reader.close())
    } catch (error) {
      if (isStorageError(error, 'arrays_corrupt', 'store_too_new')) return ids
      throw error
    }
  }
  return found
}
