import type { Hash } from 'node:crypto'
import { StorageError } from '../errors.ts'
import { type FileMark, markWithoutHash } from '../files/hash-file.ts'
import { readFooter, withKeyValues, writeFooter } from '../parquet/footer.ts'
import { type FileSummary, ownEntries, sealed } from '../parquet/own-metadata.ts'

/**
 * Puts summary and checksums into the footer of a verified file, flushes it and reads it back, to the byte.
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
  const { start, bytes } = await readFooter(path)
  if (start !== footer.start || Buffer.compare(bytes, tail.subarray(0, bytes.length)) !== 0) {
    throw new StorageError('verification_failed', 'A file footer, read back after writing, differs. The original is untouched.', { path })
  }
  return { ...(await markWithoutHash(path)), sha256: data.copy().update(tail).digest('hex') }
}
