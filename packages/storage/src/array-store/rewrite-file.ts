import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { type RowBlock, rowsOf, sliceColumn } from '../parquet/column-block.ts'
import { readSummary } from '../parquet/own-metadata.ts'
import { joinBlocks, takeRows } from '../parquet/take-rows.ts'
import { intAt } from '../parquet/thrift-fields.ts'
import { verifyAdded } from '../parquet/verify-added.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader, PlacedBlock } from './array-file-reader.ts'
import { uncarriedColumns } from './damaged-file.ts'
import { rowGroupBytes, rowGroupRows } from './record-batches.ts'
import type { RowMarks } from './row-marks.ts'
import { SummaryBuilder, summaryColumns, summaryRows } from './summary-builder.ts'

export interface RewriteContext extends AppendContext {
  readonly onRows?: ((rows: number) => void) | undefined
}

/** What goes, and what of that counted until now: rows that were replaced before did not. */
export interface Dropped {
  readonly all: RowMarks
  readonly counted: RowMarks
}

/**
 * Writes a file anew without some of its rows, the others in their order. Row groups that lose nothing are copied byte by byte, damage
 * and checksums included; small neighbours become one. Bounded memory: a few row groups. The file changes as a whole, or not at all.
 */
export const rewriteFile = async (
  context: RewriteContext,
  name: string,
  stamp: string | null,
  reader: ArrayFileReader,
  dropped: Dropped,
) => {
  if (reader.uncarried.length > 0) throw uncarriedColumns(reader.name, reader.uncarried)
  const part = context.folder.partPath()
  const writer = reader.canGrow ? await ArrayFileWriter.like(part, reader.file) : await ArrayFileWriter.create(part, reader.forms)
  try {
    await copyRows(context, reader, writer, dropped.all)
    const added = await writer.finish(await summaryWithout(reader, dropped))
    await verifyAdded(part, added)
    context.signal?.throwIfAborted()
    await context.folder.publish(part, name, stamp)
    return writer.rows
  } finally {
    await writer.abandon()
  }
}

const smallRows = rowGroupRows / 2
const smallBytes = rowGroupBytes / 2
const totalByteSize = 2

/** Whether two neighbours could be one row group. */
export const isFragmented = (reader: ArrayFileReader): boolean =>
  reader.file.groups.some((_, group) => group > 0 && isSmall(reader, group - 1) && isSmall(reader, group))

const isSmall = (reader: ArrayFileReader, group: number): boolean => {
  const place = reader.file.groups[group]
  return place !== undefined && place.rows < smallRows && intAt(place.metadata, totalByteSize) < smallBytes
}

/** Row groups that can be copied as they are, and the runs between them that must be decoded. */
const planGroups = (reader: ArrayFileReader, dropped: RowMarks): { copied: boolean; groups: number[] }[] => {
  const steps: { copied: boolean; groups: number[] }[] = []
  for (const [group, { firstRow, rows }] of reader.file.groups.entries()) {
    const copied = reader.canGrow && !isSmall(reader, group) && dropped.countFrom(firstRow, rows) === 0
    const last = steps.at(-1)
    if (last !== undefined && last.copied === copied) last.groups.push(group)
    else steps.push({ copied, groups: [group] })
  }
  return steps
}

const copyRows = async (
  { signal, onRows }: RewriteContext,
  reader: ArrayFileReader,
  writer: ArrayFileWriter,
  dropped: RowMarks,
): Promise<void> => {
  for (const { copied, groups } of planGroups(reader, dropped)) {
    const decoded: number[] = []
    for (const group of copied ? groups : []) {
      signal?.throwIfAborted()
      if (!(await writer.copyGroup(reader.file, group))) decoded.push(group)
      onRows?.(reader.file.groups[group]?.rows ?? 0)
    }
    await writeDecoded(reader.blocks(undefined, copied ? decoded : groups), writer, dropped, signal, copied ? undefined : onRows)
  }
}

const writeDecoded = async (
  blocks: AsyncIterable<PlacedBlock>,
  writer: ArrayFileWriter,
  dropped: RowMarks,
  signal: AbortSignal | undefined,
  onRows: ((rows: number) => void) | undefined,
): Promise<void> => {
  const pending = new PendingRows(writer)
  for await (const { firstRow, block } of blocks) {
    signal?.throwIfAborted()
    const rows = Array.from({ length: rowsOf(block) }, (_, row) => row)
    const kept = rows.filter((row) => !dropped.has(firstRow + row))
    if (kept.length > 0) await pending.add(kept.length === rows.length ? block : takeRows(block, kept))
    onRows?.(rows.length)
  }
  await pending.flush()
}

/** Puts pieces together to row groups of the usual size. The next is gathered while one is compressed. */
export class PendingRows {
  readonly #writer: ArrayFileWriter
  #blocks: RowBlock[] = []
  #rows = 0
  #bytes = 0
  #writing: Promise<void> = Promise.resolve()

  constructor(writer: ArrayFileWriter) {
    this.#writer = writer
  }

  async add(block: RowBlock): Promise<void> {
    for (let from = 0; from < rowsOf(block); from += rowGroupRows) {
      const piece = block.map((column) => sliceColumn(column, from, Math.min(rowsOf(block), from + rowGroupRows)))
      const bytes = piece.reduce((total, column) => total + column.values.length, 0)
      if (this.#rows > 0 && (this.#rows + rowsOf(piece) > rowGroupRows || this.#bytes + bytes > rowGroupBytes)) await this.#write()
      this.#blocks.push(piece)
      this.#rows += rowsOf(piece)
      this.#bytes += bytes
    }
  }

  async flush(): Promise<void> {
    if (this.#rows > 0) await this.#write()
    await this.#writing
  }

  async #write(): Promise<void> {
    const block = joinBlocks(this.#blocks)
    this.#blocks = []
    this.#rows = 0
    this.#bytes = 0
    await this.#writing
    this.#writing = this.#writer.writeBlock(block)
    // Whoever adds or flushes next sees a failure; until then it must not count as unhandled.
    this.#writing.catch(() => undefined)
  }
}

/** The summary of what stays: what went is taken off, or, when the best may have gone, the rest is read. */
const summaryWithout = async (reader: ArrayFileReader, { all, counted }: Dropped) => {
  const base = readSummary(reader.file.footer)
  const builder = new SummaryBuilder(base)
  const isWanted = base !== null && (await takeOff(reader, builder, counted))
  if (isWanted) return builder.result()
  const afresh = new SummaryBuilder()
  for await (const { firstRow, block } of reader.blocks(summaryColumns)) {
    const rows = Array.from({ length: rowsOf(block) }, (_, row) => row).filter((row) => !all.has(firstRow + row))
    for (const row of summaryRows(block, rows)) afresh.add(row, undefined)
  }
  return afresh.withContextOf(base)
}

/** False as soon as taking off is not enough. */
const takeOff = async (reader: ArrayFileReader, builder: SummaryBuilder, counted: RowMarks): Promise<boolean> => {
  const groups = [...reader.file.groups.entries()].filter(([, { firstRow, rows }]) => counted.countFrom(firstRow, rows) > 0)
  for await (const { firstRow, block } of reader.blocks(
    summaryColumns,
    groups.map(([group]) => group),
  )) {
    const rows = Array.from({ length: rowsOf(block) }, (_, row) => row).filter((row) => counted.has(firstRow + row))
    for (const row of summaryRows(block, rows)) builder.remove(row)
    if (builder.isStale) return false
  }
  return true
}
