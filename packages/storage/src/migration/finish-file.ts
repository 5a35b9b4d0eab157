import { StorageError } from '../errors.ts'
import { readFooter, rowGroupSizes, withKeyValues, writeFooter } from '../parquet/footer.ts'
import { type FileSummary, ownEntries } from '../parquet/own-metadata.ts'

/** Puts summary and checksums into the footer of a verified file, flushes it and makes sure that nothing else of the footer has changed. */
export const finishFile = async (path: string, summary: FileSummary, checksums: readonly ReadonlyMap<string, string>[]): Promise<void> => {
  const footer = await readFooter(path)
  const columns = [...(checksums[0]?.keys() ?? [])]
  const entries = ownEntries(summary, {
    algorithm: 'crc32',
    columns,
    row_groups: checksums.map((group) => columns.map((column) => group.get(column) ?? '')),
  })
  await writeFooter(path, footer, withKeyValues(footer.metadata, entries))
  const again = await readFooter(path)
  if (again.start !== footer.start || rowGroupSizes(again.metadata).join() !== rowGroupSizes(footer.metadata).join()) {
    throw new StorageError('verification_failed', 'A file footer, read back after writing, differs. The original is untouched.', { path })
  }
}
