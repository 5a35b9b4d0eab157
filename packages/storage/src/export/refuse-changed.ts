import { join } from 'node:path'
import { StorageError } from '../errors.ts'
import { readFooter } from '../parquet/footer.ts'
import { readChecksums } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'

/**
 * Every reader serves a flipped bit inside a page as a good number. Files that we wrote carry a checksum per column and row group, and an
 * export reads them whole: `arrays_corrupt` when a value is not what was written. Files without checksums pass.
 */
export const refuseChanged = async (root: string, path: string, signal?: AbortSignal): Promise<void> => {
  const checksums = readChecksums(await readFooter(join(root, path)))
  if (checksums === null) return
  const reader = new ParquetReader()
  try {
    const { rowGroups } = await reader.open(join(root, path))
    if (rowGroups !== checksums.row_groups.length) throw changed(path, 'has another number of row groups than when it was written')
    for (const [group, expected] of checksums.row_groups.entries()) {
      signal?.throwIfAborted()
      const found = (await reader.rowGroup(group, false)).checksums
      const columns = checksums.columns.filter((column, index) => found.get(column) !== expected[index])
      if (columns.length > 0) throw changed(path, `holds other values of ${columns.join(', ')} in row group ${group} than were written`)
    }
  } finally {
    await reader.close()
  }
}

const changed = (path: string, how: string) =>
  new StorageError('arrays_corrupt', `${path} ${how}. Nothing was exported or changed.`, {
    path,
    hint: 'Restore the file from a backup; `verify` lists every damaged file.',
  })
