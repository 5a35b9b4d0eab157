import type { Hash } from 'node:crypto'
import type { Engine } from '../engine/open-engine.ts'
import { ArraysDigest } from '../parquet/arrays-digest.ts'
import { blockChecksums } from '../parquet/block-checksum.ts'
import { type RowBlock, rowsOf } from '../parquet/column-block.ts'
import { digestGroup, type GroupDigest } from '../parquet/group-digest.ts'
import { ParquetWriter } from '../parquet/parquet-writer.ts'
import type { DatasetFigures } from '../parquet/reader-messages.ts'
import type { RowSource } from './row-source.ts'
import { withoutSamples } from './samples-column.ts'
import type { StagedFile } from './staged-file.ts'
import type { OddityFinder } from './value-warnings.ts'

/** Rows per row group: small ones are written and read in parallel, and one prediction is found without decoding much. */
export const defaultRowGroup = 2048
/** Bytes of values after which a row group ends early. */
const largestRowGroup = 64e6

/** What the store gave for a file, as it was handed to the writer. */
export interface SourceDigest {
  readonly rows: number
  readonly groups: readonly SourceGroup[]
  readonly datasets: ReadonlyMap<string, DatasetFigures>
  /** SHA-256 of the bytes of the file before its footer, to go on with. */
  readonly data: Hash
}

export interface SourceGroup {
  readonly digest: GroupDigest
  /** CRC-32 by column, for the footer. */
  readonly checksums: ReadonlyMap<string, string>
}

export interface StageOptions {
  readonly rowGroup: number
  /** Ids that no metadata knows: they do not count for their dataset. */
  readonly skippedIds?: readonly string[]
  /** Sees every row on its way. */
  readonly oddities?: OddityFinder
  readonly signal?: AbortSignal | undefined
}

/** Streams the rows of a file from the store into it. Rows keep the order in which the store gives them: nothing is held to be sorted. */
export const stageFile = async (engine: Engine, file: StagedFile, options: StageOptions): Promise<SourceDigest> => {
  const writer = await ParquetWriter.create(file.path, file.columns)
  try {
    const source = await copyRows(engine, writer, file, options)
    return { ...source, data: await writer.finish() }
  } finally {
    await writer.abandon()
  }
}

const copyRows = async (
  engine: Engine,
  writer: ParquetWriter,
  file: StagedFile,
  options: StageOptions,
): Promise<Omit<SourceDigest, 'data'>> => {
  const reader = await file.openRows(engine, options.signal)
  const digest = new ArraysDigest(new Set(options.skippedIds))
  const groups: SourceGroup[] = []
  let rows = 0
  let writing: Promise<void> = Promise.resolve()
  let next = takeAhead(reader, options)
  try {
    for (;;) {
      const read = await next
      // Read while these rows are hashed.
      if (rowsOf(read) > 0) next = takeAhead(reader, options)
      await writing
      if (rowsOf(read) === 0) break
      options.signal?.throwIfAborted()
      options.oddities?.look(read)
      const block = withoutSamples(read)
      // Compressed by other threads while the next rows are read.
      writing = writer.writeRowGroup(block)
      writing.catch(() => undefined)
      groups.push({ digest: digestGroup(digest, block), checksums: blockChecksums(block) })
      rows += rowsOf(block)
    }
    return { rows, groups, datasets: digest.results() }
  } finally {
    await Promise.allSettled([writing, next])
    await reader.close()
  }
}

/** Awaited later: should something else fail first, a failure of this must not count as unhandled. */
const takeAhead = (reader: RowSource, { rowGroup }: StageOptions): Promise<RowBlock> => {
  const block = reader.takeAbout(rowGroup, largestRowGroup)
  block.catch(() => undefined)
  return block
}
