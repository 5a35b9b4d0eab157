import { isStorageError, StorageError } from '../errors.ts'
import type { GroupFile } from '../parquet/group-file.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'

/** Of values in a row group: parquet-wasm holds them at once, in four gigabytes for everything. */
const mostBytes = 1e9

/**
 * Nobody has noted what other programs wrote, and DuckDB reads over some damage as if nothing were: it gives numbers that were never
 * stored. What is copied or handed out from such row groups (default: all of them) is decoded by a second reader before. Throws
 * `arrays_corrupt`.
 */
export const requireDecodable = async (
  file: Pick<GroupFile, 'groups' | 'isOwn' | 'valueBytes'>,
  readPath: string,
  name: string,
  { groups = file.groups.keys(), signal }: { groups?: Iterable<number>; signal?: AbortSignal | undefined } = {},
): Promise<void> => {
  const foreign = [...groups].filter((group) => !file.isOwn(group) && file.valueBytes(group) <= mostBytes)
  if (foreign.length === 0) return
  const reader = new ParquetReader()
  try {
    await reader.open(readPath)
    for (const group of foreign) {
      signal?.throwIfAborted()
      await reader.rowGroup(group, false)
    }
    await reader.done()
  } catch (error) {
    throw isStorageError(error, 'arrays_corrupt') ? asDamaged(name, error) : error
  } finally {
    await reader.close()
  }
}

const asDamaged = (name: string, cause: StorageError): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `${name} is damaged: a second reader cannot decode it. Nothing was read from there or changed.`,
    { path: name, hint: 'Restore the file from a backup; `verify --deep` lists every damaged file.' },
    cause,
  )
