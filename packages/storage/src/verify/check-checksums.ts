import { join } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import { isStorageError } from '../errors.ts'
import { readFooter } from '../parquet/footer.ts'
import { type Checksums, readChecksums } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'

/** Decodes every value of a file and compares the checksums in its footer, if it has any. */
export const checkChecksums = async (root: string, path: string, signal: AbortSignal | undefined): Promise<Finding[]> => {
  const checksums = readChecksums(await readFooter(join(root, path)))
  const reader = new ParquetReader()
  try {
    const { rowGroups } = await reader.open(join(root, path))
    const findings: Finding[] = []
    if (checksums !== null && checksums.row_groups.length !== rowGroups) {
      return [damage(path, undefined, 'has another number of row groups than its checksums')]
    }
    for (let group = 0; group < rowGroups; group++) {
      signal?.throwIfAborted()
      findings.push(...(await checkGroup(reader, path, group, checksums)))
    }
    return findings
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt')) return [damage(path, undefined, error.message)]
    throw error
  } finally {
    await reader.close()
  }
}

const checkGroup = async (reader: ParquetReader, path: string, group: number, checksums: Checksums | null): Promise<Finding[]> => {
  try {
    const found = (await reader.rowGroup(group, false)).checksums
    const expected = checksums?.row_groups[group] ?? []
    const columns = checksums?.columns.filter((column, index) => found.get(column) !== expected[index]) ?? []
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
