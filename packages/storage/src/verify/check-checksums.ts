import { join } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import { isStorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import { readFooter } from '../parquet/footer.ts'
import { type Checksums, isSealIntact, readChecksums, segmentsOf } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'

/** Decodes every value of array files and compares the checksums in their footers, where there are any. */
export class ChecksumChecker {
  #reader: ParquetReader | undefined

  async check(root: string, path: string, signal: AbortSignal | undefined): Promise<Finding[]> {
    this.#reader ??= new ParquetReader()
    const findings = await checkFile(this.#reader, root, path, signal)
    // A decoder that has met damage may be damaged itself: the next file gets a new one.
    if (findings.length > 0) await this.close()
    return findings
  }

  async close(): Promise<void> {
    await this.#reader?.close()
    this.#reader = undefined
  }
}

const checkFile = async (reader: ParquetReader, root: string, path: string, signal: AbortSignal | undefined): Promise<Finding[]> => {
  try {
    const footer = await readFooter(join(root, path))
    if (!isSealIntact(footer.metadata)) return [damage(path, undefined, 'its footer has changed since it was written')]
    const checksums = readChecksums(footer)
    const { rowGroups } = await reader.open(join(root, path))
    if (checksums !== null && checksums.row_groups.length !== rowGroups) {
      return [damage(path, undefined, 'has another number of row groups than its checksums')]
    }
    const findings: Finding[] = []
    for (let group = 0; group < rowGroups; group++) {
      signal?.throwIfAborted()
      findings.push(...(await checkGroup(reader, path, group, checksums)))
    }
    if (findings.length === 0 && checksums !== null && !(await areBytesIntact(join(root, path), checksums, footer.start))) {
      findings.push(damage(path, undefined, 'its bytes have changed since they were written, though not its values'))
    }
    return findings
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return [damage(path, undefined, error.message)]
    throw error
  }
}

/** Whether all bytes whose SHA-256 somebody has noted are still the same, and the pieces they were written in fill the file. */
const areBytesIntact = async (path: string, checksums: Checksums, end: number): Promise<boolean> => {
  let start = 0
  for (const { bytes, sha256 } of segmentsOf(checksums, end)) {
    if (sha256 !== null && (await hashFile(path, { start, end: start + bytes })) !== sha256) return false
    start += bytes
  }
  return start === end
}

const checkGroup = async (reader: ParquetReader, path: string, group: number, checksums: Checksums | null): Promise<Finding[]> => {
  try {
    const found = (await reader.rowGroup(group, false)).checksums
    const expected = checksums?.row_groups[group] ?? []
    // Row groups that another program wrote have none.
    const columns = expected.length === 0 ? [] : (checksums?.columns.filter((column, index) => found.get(column) !== expected[index]) ?? [])
    return columns.length === 0
      ? []
      : [{ ...damage(path, group, `row group ${group}: values of ${columns.join(', ')} have changed`), code: 'checksum_mismatch' }]
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return [damage(path, group, `row group ${group}: ${error.message}`)]
    throw error
  }
}

const damage = (path: string, rowGroup: number | undefined, what: string): Finding => ({
  code: 'corrupt_array_file',
  severity: 'error',
  count: 1,
  detail: `${path}, ${what}`,
  ...(rowGroup === undefined ? {} : { row_group: rowGroup }),
})
