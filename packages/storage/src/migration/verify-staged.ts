import { StorageError } from '../errors.ts'
import { digestBytes } from '../parquet/arrays-digest.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import { columnNames, readFooter, rowCount, rowGroupSizes } from '../parquet/footer.ts'
import type { GroupDigest } from '../parquet/group-digest.ts'
import type { ParquetReader } from '../parquet/parquet-reader.ts'
import type { DatasetFigures } from '../parquet/reader-messages.ts'
import type { SourceDigest, SourceGroup } from './stage-file.ts'
import type { StagedFile } from './staged-file.ts'

export interface VerifiedFile {
  readonly rows: number
  readonly mismatches: number
  /** Some of the ids whose rows differ, and the columns of their row group in which something does. */
  readonly examples: readonly string[]
  readonly source: ReadonlyMap<string, DatasetFigures>
  readonly parquet: ReadonlyMap<string, DatasetFigures>
}

export interface VerifyStagedOptions {
  /** Ids that do not count for the digests: no metadata knows them. */
  skippedIds?: readonly string[]
  signal?: AbortSignal | undefined
  onRows?: (rows: number, bytes: number) => void
}

/**
 * Reads a written file back with parquet-wasm and compares it with what the store gave: SHA-256 over every bit of every array of every
 * row, and of all other columns of every row group, validity and lengths included. Throws `verification_failed` on a difference in form.
 */
export const verifyStaged = async (
  reader: ParquetReader,
  file: StagedFile,
  source: SourceDigest,
  options: VerifyStagedOptions = {},
): Promise<VerifiedFile> => {
  const { metadata } = await readFooter(file.path)
  if (columnNames(metadata).join() !== file.columns.map(({ name }) => name).join()) throw wrongForm(file, 'other columns')
  if (source.rows !== file.rows) throw wrongForm(file, `${source.rows} rows instead of the ${file.rows} that were counted before`)
  if (rowCount(metadata) !== source.rows) throw wrongForm(file, `${rowCount(metadata)} rows instead of ${source.rows}`)
  const sizes = rowGroupSizes(metadata)
  if (sizes.join() !== source.groups.map(({ digest }) => rowsIn(digest)).join()) throw wrongForm(file, 'other row groups')
  await reader.open(file.path, options.skippedIds)
  const tally = { mismatches: 0, examples: [] as string[] }
  const ask = (group: number) => {
    if (group >= sizes.length) return undefined
    const answer = reader.digest(group)
    // Asked for ahead of its use: should something else fail first, this rejection still needs a listener.
    answer.catch(() => undefined)
    return answer
  }
  let next = ask(0)
  for (const [group, expected] of source.groups.entries()) {
    options.signal?.throwIfAborted()
    const found = await next
    if (found === undefined) throw wrongForm(file, 'fewer row groups')
    next = ask(group + 1)
    if (!isSame(expected.digest, found)) await tallyGroup(reader, group, expected, found, tally)
    options.onRows?.(rowsIn(found), found.bytes)
  }
  return { ...tally, rows: source.rows, source: source.datasets, parquet: await reader.finish() }
}

const rowsIn = (digest: GroupDigest): number => digest.rows.length / digestBytes

const isSame = (a: GroupDigest, b: GroupDigest): boolean => a.others === b.others && Buffer.compare(a.rows, b.rows) === 0

const tallyGroup = async (
  reader: ParquetReader,
  group: number,
  expected: SourceGroup,
  found: GroupDigest,
  tally: { mismatches: number; examples: string[] },
): Promise<void> => {
  const { block, checksums } = await reader.rowGroup(group)
  const columns = [...checksums].filter(([name, crc]) => expected.checksums.get(name) !== crc).map(([name]) => name)
  const differing = differingRows(expected.digest, found)
  // A difference outside the arrays has no digest per row: the row group as a whole counts.
  const rows = differing.length > 0 ? differing : Array.from({ length: rowsIn(found) }, (_, row) => row)
  tally.mismatches += rows.length
  const ids = textsOf(columnOf(block, 'prediction_id'))
  for (const row of rows) if (tally.examples.length < 20) tally.examples.push(`${ids[row] ?? '?'} (${columns.join(', ')})`)
}

const differingRows = (a: GroupDigest, b: GroupDigest): number[] => {
  const differing: number[] = []
  for (let row = 0; row < rowsIn(b); row++) {
    const [from, to] = [row * digestBytes, (row + 1) * digestBytes]
    if (Buffer.compare(a.rows.subarray(from, to), b.rows.subarray(from, to)) !== 0) differing.push(row)
  }
  return differing
}

const wrongForm = (file: StagedFile, what: string) =>
  new StorageError('verification_failed', `${file.name}, read back after writing, has ${what}. The original is untouched.`, {
    hint: 'Run the migration again; if it fails again, check the disk.',
  })
