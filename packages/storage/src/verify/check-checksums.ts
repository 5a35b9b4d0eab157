import { join } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import { isStorageError } from '../errors.ts'
import { hashFile, markWithoutHash } from '../files/hash-file.ts'
import { readFooter, rowGroupSizes } from '../parquet/footer.ts'
import { type Checksums, isSealIntact, readChecksums, segmentsOf } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import type { ScrubState } from './scrub-state.ts'

/** What the values of a file have to say, and where its row groups begin; the last number is their end. */
export interface CheckedFile {
  readonly findings: readonly Finding[]
  readonly firstRows: readonly number[]
  /** Nobody has noted what its values were, at least of some row groups: that one has changed shows nowhere. */
  readonly isUnsealed?: boolean
}

/** Decodes every value of array files and compares the checksums in their footers, where there are any. */
export class ChecksumChecker {
  readonly #state: ScrubState
  #reader: ParquetReader | undefined

  /** Row groups that `state` knows as checked are not read again. */
  constructor(state: ScrubState) {
    this.#state = state
  }

  /** `onDone` is told the share of the file, 0 to 1, that is checked. */
  async check(root: string, path: string, signal: AbortSignal | undefined, onDone?: (share: number) => void): Promise<CheckedFile> {
    try {
      const checked = await this.#checkFile(join(root, path), path, signal, onDone)
      if (checked.findings.length === 0) await this.#reader?.done()
      return checked
    } catch (error) {
      if (isStorageError(error, 'arrays_corrupt')) return { findings: [damage(path, undefined, error.message)], firstRows: [] }
      throw error
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await this.#reader?.close()
    this.#reader = undefined
  }

  async #checkFile(file: string, path: string, signal: AbortSignal | undefined, onDone?: (share: number) => void): Promise<CheckedFile> {
    const footer = await readFooter(file)
    if (!isSealIntact(footer.metadata))
      return { findings: [damage(path, undefined, 'its footer has changed since it was written')], firstRows: [] }
    const checksums = readChecksums(footer)
    const sizes = rowGroupSizes(footer.metadata)
    const firstRows = [0]
    for (const size of sizes) firstRows.push((firstRows.at(-1) ?? 0) + size)
    if (checksums !== null && checksums.row_groups.length !== sizes.length) {
      return { findings: [damage(path, undefined, 'has another number of row groups than its checksums')], firstRows }
    }
    const mark = await markWithoutHash(file)
    const known = this.#state.of(path, mark)
    const findings = [...known.findings]
    for (let group = known.groups_done; group < sizes.length; group++) {
      signal?.throwIfAborted()
      findings.push(...(await this.#checkGroup(file, path, group, checksums)))
      await this.#state.note(path, { ...mark, groups_done: group + 1, findings: [...findings] })
      onDone?.((group + 1) / sizes.length)
    }
    if (findings.length === 0 && checksums !== null && !(await areBytesIntact(file, checksums, footer.start))) {
      findings.push(damage(path, undefined, 'its bytes have changed since they were written, though not its values'))
    }
    const isUnsealed = sizes.some((_, group) => (checksums?.row_groups[group] ?? []).length === 0)
    return { findings, firstRows, isUnsealed }
  }

  async #checkGroup(file: string, path: string, group: number, checksums: Checksums | null): Promise<Finding[]> {
    if (this.#reader === undefined) {
      this.#reader = new ParquetReader()
      await this.#reader.open(file)
    }
    const findings = await checkGroup(this.#reader, path, group, checksums)
    // A decoder that has met damage may be damaged itself: the next row group gets a new one.
    if (findings.length > 0) await this.close()
    return findings
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
