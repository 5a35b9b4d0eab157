import type { Hash } from 'node:crypto'
import { StorageError } from '../errors.ts'
import { type FileMark, markWithoutHash } from '../files/hash-file.ts'
import { readFooter, rowGroupSizes, withKeyValues, writeFooter } from '../parquet/footer.ts'
import { type FileSummary, isSealIntact, ownEntries, sealed } from '../parquet/own-metadata.ts'

/**
 * Puts summary and checksums into the footer of a verified file, flushes it and makes sure that nothing else of the footer has changed.
 * `data` is the SHA-256 of the bytes before the footer, as they were written.
 */
export const finishFile = async (
  path: string,
  summary: FileSummary,
  checksums: readonly ReadonlyMap<string, string>[],
  data: Hash,
): Promise<FileMark> => {
  const footer = await readFooter(path)
  const columns = [...(checksums[0]?.keys() ?? [])]
  const entries = ownEntries(summary, {
    algorithm: 'crc32',
    columns,
    row_groups: checksums.map((group) => columns.map((column) => group.get(column) ?? '')),
    data_sha256: data.copy().digest('hex'),
  })
  const tail = await writeFooter(path, footer, sealed(withKeyValues(footer.metadata, entries)))
  const { start, metadata } = await readFooter(path)
  if (start !== footer.start || rowGroupSizes(metadata).join() !== rowGroupSizes(footer.metadata).join() || !isSealIntact(metadata)) {
    throw new StorageError('verification_failed', 'A file footer, read back after writing, differs. The original is untouched.', { path })
  }
  return { ...(await markWithoutHash(path)), sha256: data.copy().update(tail).digest('hex') }
}
