import { type Lane, openLane } from '../engine/engine-lane.ts'
import type { Engine } from '../engine/open-engine.ts'
import { RowReader, readBlocks } from '../engine/read-blocks.ts'
import { StorageError } from '../errors.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { columnOf, differingRows, type RowBlock, rowsOf, textsOf } from '../parquet/column-block.ts'
import { columnNames, readFooter, rowCount } from '../parquet/footer.ts'
import type { ParquetReader } from '../parquet/parquet-reader.ts'
import type { DatasetFigures } from '../parquet/reader-messages.ts'
import type { StagedFile } from './staged-file.ts'

export interface VerifiedFile {
  readonly rows: number
  readonly mismatches: number
  /** Some of the ids whose rows differ, and the columns in which they do. */
  readonly examples: readonly string[]
  /** Per row group, per column. */
  readonly checksums: readonly ReadonlyMap<string, string>[]
  readonly source: ReadonlyMap<string, DatasetFigures>
  readonly parquet: ReadonlyMap<string, DatasetFigures>
}

export interface VerifyStagedOptions {
  /** Ids that do not count for the digests: no metadata knows them. */
  skippedIds: readonly string[]
  signal?: AbortSignal | undefined
  onRows?: (rows: number, bytes: number) => void
}

/**
 * Reads a written file back with parquet-wasm and compares it, bit for bit, with the rows that the engine gives for the same query: every
 * value of every column of every row, validity and lengths included. Throws `verification_failed` on the first difference in form.
 */
export const verifyStaged = async (
  engine: Engine,
  reader: ParquetReader,
  file: StagedFile,
  options: VerifyStagedOptions,
): Promise<VerifiedFile> => {
  const { metadata } = await readFooter(file.path)
  if (columnNames(metadata).join() !== file.columns.join()) throw wrongForm(file, 'other columns')
  if (rowCount(metadata) !== file.rows) throw wrongForm(file, `${rowCount(metadata)} rows instead of ${file.rows}`)
  const lane = await openLane(engine)
  try {
    return await compare(lane, reader, file, options)
  } finally {
    lane.close()
  }
}

const compare = async (lane: Lane, reader: ParquetReader, file: StagedFile, options: VerifyStagedOptions): Promise<VerifiedFile> => {
  const { rowGroups } = await reader.open(file.path, options.skippedIds)
  const source = new RowReader(readBlocks(lane, file.sql))
  const digest = new ArraysDigest(new Set(options.skippedIds))
  const checksums: ReadonlyMap<string, string>[] = []
  const tally = { rows: 0, mismatches: 0, examples: [] as string[] }
  const ask = (group: number) => {
    if (group >= rowGroups) return undefined
    const answer = reader.rowGroup(group)
    // Asked for ahead of its use: should the other side fail first, this rejection still needs a listener.
    answer.catch(() => undefined)
    return answer
  }
  let next = ask(0)
  for (let group = 0; next !== undefined; group++) {
    options.signal?.throwIfAborted()
    const { block, checksums: own } = await next
    next = ask(group + 1)
    const expected = await source.take(rowsOf(block))
    if (file.name !== 'quarantine') digest.add(expected)
    compareBlocks(expected, block, tally)
    checksums.push(own)
    options.onRows?.(rowsOf(block), bytesOf(block))
  }
  const rest = await source.take(1)
  if (rowsOf(rest) > 0) throw wrongForm(file, 'fewer rows than the store')
  return { ...tally, checksums, source: digest.results(), parquet: await reader.finish() }
}

const compareBlocks = (expected: RowBlock, found: RowBlock, tally: { rows: number; mismatches: number; examples: string[] }): void => {
  tally.rows += rowsOf(found)
  const differing = new Map<number, string[]>()
  for (const column of expected) {
    const other = found.find(({ name }) => name === column.name)
    const rows = other === undefined ? Array.from({ length: column.rows }, (_, row) => row) : differingRows(column, other)
    for (const row of rows) differing.set(row, [...(differing.get(row) ?? []), column.name])
  }
  if (rowsOf(expected) !== rowsOf(found)) differing.set(rowsOf(expected), ['row count'])
  if (differing.size === 0) return
  tally.mismatches += differing.size
  const ids = textsOf(columnOf(expected, 'prediction_id'))
  for (const [row, columns] of differing) {
    if (tally.examples.length < 20) tally.examples.push(`${ids[row] ?? '?'} (${columns.join(', ')})`)
  }
}

const bytesOf = (block: RowBlock): number => block.reduce((bytes, column) => bytes + column.values.length, 0)

const wrongForm = (file: StagedFile, what: string) =>
  new StorageError('verification_failed', `${file.name}, read back after writing, has ${what}. The original is untouched.`, {
    hint: 'Run the migration again; if it fails again, check the disk.',
  })
