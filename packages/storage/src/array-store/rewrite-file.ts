import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { type RowBlock, rowsOf, sliceColumn } from '../parquet/column-block.ts'
import { completeFile } from '../parquet/complete-file.ts'
import { GroupThreads } from '../parquet/group-threads.ts'
import { type FileSummary, readSummary, summaryVersion } from '../parquet/own-metadata.ts'
import { joinBlocks, takeRows } from '../parquet/take-rows.ts'
import { encodeFromGroup } from '../parquet/threaded-groups.ts'
import { workAhead } from '../parquet/work-ahead.ts'
import type { AppendContext } from './append-rows.ts'
import type { ArrayFileReader, PlacedBlock } from './array-file-reader.ts'
import { askContexts, countContexts } from './ask-contexts.ts'
import { ContextCounts } from './context-counts.ts'
import { uncarriedColumns } from './damaged-file.ts'
import { addLiveRows, countLiveRows } from './live-summary.ts'
import { rowGroupBytes, rowGroupRows } from './record-batches.ts'
import { RowMarks } from './row-marks.ts'
import { SummaryBuilder, summaryColumns, summaryRows, withContext } from './summary-builder.ts'

export interface RewriteContext extends AppendContext {
  readonly onRows?: ((rows: number) => void) | undefined
}

export interface Dropped {
  /** What goes. */
  readonly all: RowMarks
  /** All rows of the file that a later one has replaced: they do not count, whether they go or stay. */
  readonly replaced: RowMarks
}

/**
 * Writes a file anew without some of its rows, the others in their order. Row groups that lose nothing are copied byte by byte, damage
 * and checksums included; small neighbours become one. Bounded memory: a few row groups. The file changes as a whole, or not at all; with its
 * last row it goes. The number of rows that are left.
 */
export const rewriteFile = async (
  context: RewriteContext,
  name: string,
  stamp: string | null,
  reader: ArrayFileReader,
  dropped: Dropped,
): Promise<number> => {
  if (reader.uncarried.length > 0) throw uncarriedColumns(reader.name, reader.uncarried)
  await reader.requireDecodable({ signal: context.signal })
  if (dropped.all.count === reader.rows) {
    await context.folder.remove(name, stamp)
    return 0
  }
  const part = context.folder.partPath()
  const threads = new GroupThreads(rewrittenBytes(reader, dropped.all), 'encode')
  const writer = reader.canGrow ? await ArrayFileWriter.like(part, reader.file) : await ArrayFileWriter.create(part, reader.forms)
  try {
    await copyRows(context, reader, writer, dropped.all, threads)
    await completeFile(writer, await summaryWithout(context, reader, dropped), threads)
    context.signal?.throwIfAborted()
    await context.folder.publish(part, name, stamp)
    return writer.rows
  } finally {
    await threads.close()
    await writer.abandon()
  }
}

const smallRows = rowGroupRows / 2
const smallBytes = rowGroupBytes / 2

/** Whether two neighbours could be one row group. */
export const isFragmented = (reader: ArrayFileReader): boolean =>
  reader.file.groups.some((_, group) => group > 0 && isSmall(reader, group - 1) && isSmall(reader, group))

const isSmall = (reader: ArrayFileReader, group: number): boolean => {
  const place = reader.file.groups[group]
  return place !== undefined && place.rows < smallRows && reader.file.valueBytes(group) < smallBytes
}

/** `copied`: as it is. `alone`: decoded, encoded without the rows that go. `joined`: decoded, put together with its neighbours. */
type Way = 'copied' | 'alone' | 'joined'

const wayOf = (reader: ArrayFileReader, group: number, dropped: RowMarks): Way => {
  const place = reader.file.groups[group]
  if (place === undefined || !reader.canGrow || isSmall(reader, group)) return 'joined'
  const lost = dropped.countFrom(place.firstRow, place.rows)
  if (lost === 0) return 'copied'
  const [rows, bytes] = [place.rows - lost, (reader.file.valueBytes(group) * (place.rows - lost)) / place.rows]
  const isUsual = rows <= rowGroupRows && bytes <= rowGroupBytes && (rows >= smallRows || bytes >= smallBytes)
  return isUsual && reader.file.isOwn(group) ? 'alone' : 'joined'
}

/** Neighbours that go the same way. */
const planGroups = (reader: ArrayFileReader, dropped: RowMarks): { way: Way; groups: number[] }[] => {
  const steps: { way: Way; groups: number[] }[] = []
  for (const group of reader.file.groups.keys()) {
    const way = wayOf(reader, group, dropped)
    const last = steps.at(-1)
    if (last?.way === way) last.groups.push(group)
    else steps.push({ way, groups: [group] })
  }
  return steps
}

/** Bytes of values of the row groups that threads decode and encode. */
const rewrittenBytes = (reader: ArrayFileReader, dropped: RowMarks): number =>
  planGroups(reader, dropped)
    .flatMap(({ way, groups }) => (way === 'alone' ? groups : []))
    .reduce((bytes, group) => bytes + reader.file.valueBytes(group), 0)

const copyRows = async (
  context: RewriteContext,
  reader: ArrayFileReader,
  writer: ArrayFileWriter,
  dropped: RowMarks,
  threads: GroupThreads,
): Promise<void> => {
  for (const { way, groups } of planGroups(reader, dropped)) {
    if (way === 'copied') await copyGroups(context, reader, writer, groups)
    else if (way === 'alone') await encodeGroups(context, reader, writer, groups, dropped, threads)
    else await writeDecoded(context, reader.blocks(undefined, groups), writer, dropped)
  }
}

const copyGroups = async (
  { signal, onRows }: RewriteContext,
  reader: ArrayFileReader,
  writer: ArrayFileWriter,
  groups: readonly number[],
): Promise<void> => {
  for (const group of groups) {
    signal?.throwIfAborted()
    if (!(await writer.copyGroup(reader.file, group))) {
      for await (const { block } of reader.blocks(undefined, [group])) await writer.writeBlock(block)
    }
    onRows?.(reader.file.groups[group]?.rows ?? 0)
  }
}

const encodeGroups = async (
  { signal, onRows }: RewriteContext,
  reader: ArrayFileReader,
  writer: ArrayFileWriter,
  groups: readonly number[],
  dropped: RowMarks,
  threads: GroupThreads,
): Promise<void> => {
  const kept = (group: number): number[] => {
    const { firstRow, rows } = reader.file.groups[group] ?? { firstRow: 0, rows: 0 }
    return Array.from({ length: rows }, (_, row) => row).filter((row) => !dropped.has(firstRow + row))
  }
  const ahead = { width: threads.width, bytesOf: (group: number) => reader.file.valueBytes(group) }
  const encoded = workAhead(groups, ahead, (group) => encodeFromGroup(threads, reader.file, group, kept(group)))
  for await (const { item, result } of encoded) {
    signal?.throwIfAborted()
    await writer.writeEncoded(result)
    onRows?.(reader.file.groups[item]?.rows ?? 0)
  }
}

const writeDecoded = async (
  { signal, onRows }: RewriteContext,
  blocks: AsyncIterable<PlacedBlock>,
  writer: ArrayFileWriter,
  dropped: RowMarks,
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

/**
 * The summary of what stays: what went is taken off, or, when the best may have gone or the summary is another's or does not fit the file,
 * the rest is read. Branches, refits and times as the metadata has them, where it can be asked.
 */
const summaryWithout = async (context: AppendContext, reader: ArrayFileReader, dropped: Dropped): Promise<FileSummary> => {
  const summary = await scoresWithout(context, reader, dropped)
  if (summary.context_exact || context.contextsOf === undefined) return summary
  const contexts = new ContextCounts()
  await countContexts(contexts, context.contextsOf, { reader, replaced: dropped.replaced }, (row) => !dropped.all.has(row))
  return withContext(summary, contexts)
}

const scoresWithout = async (context: AppendContext, reader: ArrayFileReader, { all, replaced }: Dropped): Promise<FileSummary> => {
  const base = readSummary(reader.file.footer)
  const builder = new SummaryBuilder(base)
  const fits = base?.version === summaryVersion && base.rows === (await countLiveRows(reader, replaced))
  const isEnough = fits && (await takeOff(context, reader, builder, countedOf(reader, all, replaced)))
  if (isEnough) return builder.result()
  const afresh = new SummaryBuilder(null, base?.refits)
  await addLiveRows(afresh, reader, replaced, (row) => !all.has(row))
  return afresh.withContextOf(base === null ? null : { ...base, context_exact: false })
}

/** Of the rows that go those that counted until now. */
const countedOf = (reader: ArrayFileReader, all: RowMarks, replaced: RowMarks): RowMarks => {
  const counted = new RowMarks(reader.rows)
  for (let row = 0; row < reader.rows; row++) if (all.has(row) && !replaced.has(row)) counted.add(row)
  return counted
}

/** False as soon as taking off is not enough. */
const takeOff = async (
  { contextsOf }: AppendContext,
  reader: ArrayFileReader,
  builder: SummaryBuilder,
  counted: RowMarks,
): Promise<boolean> => {
  const groups = [...reader.file.groups.entries()].filter(([, { firstRow, rows }]) => counted.countFrom(firstRow, rows) > 0)
  for await (const { firstRow, block } of reader.blocks(
    summaryColumns,
    groups.map(([group]) => group),
  )) {
    const marked = Array.from({ length: rowsOf(block) }, (_, row) => row).filter((row) => counted.has(firstRow + row))
    const rows = summaryRows(block, marked)
    const ids = rows.map(({ prediction_id }) => prediction_id)
    const was = contextsOf !== undefined && builder.hasExactContext ? await askContexts(contextsOf, ids) : null
    for (const row of rows) builder.remove(row, was?.get(row.prediction_id))
    if (builder.isStale) return false
  }
  return true
}
