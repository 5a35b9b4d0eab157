import { formsWith } from '../migration/array-columns.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { columnOf, type RowBlock, rowsOf, textsOf } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { completeFile } from '../parquet/complete-file.ts'
import { type FileSummary, readSummary, summaryVersion } from '../parquet/own-metadata.ts'
import { sameForms } from '../parquet/schema-forms.ts'
import { nullColumn, takeRows } from '../parquet/take-rows.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { RecordContext } from './array-record.ts'
import { askContexts, type ContextsOf, countContexts } from './ask-contexts.ts'
import { ContextCounts } from './context-counts.ts'
import { uncarriedColumns } from './damaged-file.ts'
import { hashColumn, type IdHashes } from './id-hashes.ts'
import { replacedRows } from './last-rows.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { addLiveRows } from './live-summary.ts'
import type { BatchBlock, RowBatch } from './row-batch.ts'
import { digestRows } from './row-digest.ts'
import { blocksWith, findRows, rowKey } from './row-positions.ts'
import { SummaryBuilder, type SummaryRow, summaryRows, withContext } from './summary-builder.ts'

export interface AppendContext {
  readonly folder: ArrayFolder
  readonly engine: LazyEngine
  readonly signal?: AbortSignal | undefined
  readonly contextsOf?: ContextsOf | undefined
}

/**
 * Adds rows to the array file that `reader` has open, or makes it. Rows that the file has already, bit for bit, are left out; of the others the new one counts
 * from now on. The file changes as a whole, durably, after what was added has been read back; or not at all.
 */
export const appendRows = async (
  { folder, signal, contextsOf }: AppendContext,
  name: string,
  reader: ArrayFileReader | null,
  batch: RowBatch,
): Promise<number> => {
  const forms = mergedForms(reader, batch.forms)
  const canGrow = reader?.canGrow === true && forms.length === reader.forms.length
  const writer = canGrow ? ArrayFileWriter.extend(folder.partPath(), reader.file) : await ArrayFileWriter.create(folder.partPath(), forms)
  try {
    const known = reader === null ? new Map() : await knownRows(reader, batch.ids, forms)
    if (reader !== null && !canGrow) await copyAllRows(reader, writer, forms)
    const summary = new SummaryBuilder(reader === null ? null : await summaryOf(reader), batch.refits)
    const hashes: IdHashes[] = []
    const written = await writeNewRows({ writer, forms, batch, known, summary, hashes, signal, contextsOf })
    if (written === 0) return 0
    await completeFile(writer, await finishSummary({ summary, reader, batch, forms, known, contextsOf }))
    signal?.throwIfAborted()
    await folder.publish(writer.path, name, reader?.stamp ?? null)
    await rememberIds(folder, name, [(await reader?.idHashes()) ?? new Uint32Array(), ...hashes])
    return written
  } finally {
    await writer.abandon()
  }
}

/** The next append need not read the ids of this one. */
const rememberIds = async (folder: ArrayFolder, name: string, pieces: readonly IdHashes[]): Promise<void> => {
  const hashes = new Uint32Array(pieces.reduce((rows, piece) => rows + piece.length, 0))
  let position = 0
  for (const piece of pieces) {
    hashes.set(piece, position)
    position += piece.length
  }
  const stamp = await folder.stamp(name)
  if (stamp !== null) folder.hashes.set(stamp, hashes)
}

/** The columns of the file with those that are new to it behind; of a new file the fourteen first. */
const mergedForms = (reader: ArrayFileReader | null, wanted: readonly ColumnForm[]): ColumnForm[] => {
  const base: readonly ColumnForm[] = reader?.forms ?? formsWith([])
  const missing = wanted.filter(({ name }) => !base.some((form) => form.name === name))
  if (reader !== null && (missing.length > 0 || !reader.canGrow) && reader.uncarried.length > 0) {
    throw uncarriedColumns(reader.name, reader.uncarried)
  }
  return [...base, ...missing]
}

interface KnownRow {
  readonly digest: string
  readonly summary: SummaryRow
}

/** What the file has of these predictions. */
const knownRows = async (
  reader: ArrayFileReader,
  ids: ReadonlySet<string>,
  forms: readonly ColumnForm[],
): Promise<Map<string, KnownRow>> => {
  const live = await findRows(reader, ids)
  const positions = [...live.values()].map(({ row }) => row).sort((a, b) => a - b)
  const known = new Map<string, KnownRow>()
  for await (const { block, rows } of blocksWith(reader, positions)) {
    const digests = digestRows(block, namesOf(forms), rows)
    summaryRows(block, rows).forEach((summary, index) => {
      known.set(rowKey(summary.dataset_name, summary.prediction_id), { digest: digests[index] ?? '', summary })
    })
  }
  return known
}

interface NewRows {
  readonly batch: RowBatch
  readonly forms: readonly ColumnForm[]
  readonly known: ReadonlyMap<string, KnownRow>
  readonly summary: SummaryBuilder
  readonly contextsOf: ContextsOf | undefined
}

interface Writing extends NewRows {
  readonly writer: ArrayFileWriter
  readonly hashes: IdHashes[]
  readonly signal: AbortSignal | undefined
}

const writeNewRows = async ({ writer, forms, batch, known, summary, hashes, signal, contextsOf }: Writing): Promise<number> => {
  let written = 0
  const before = summary.hasExactContext ? await contextsBefore(known, contextsOf) : new Map<string, RecordContext>()
  for await (const found of batch.blocks()) {
    signal?.throwIfAborted()
    const block = completed(found.block, forms)
    const rows = newRows(block, found.rows, forms, known)
    if (rows.length === 0) continue
    // When nothing was there before, the summary of the batch is taken as a whole.
    const counted = batch.summary !== null && known.size === 0 ? [] : summaryRows(block, rows)
    for (const [row, context] of await withContexts(counted, (index) => found.contextOf(rows[index] ?? 0), contextsOf)) {
      const replaced = known.get(rowKey(row.dataset_name, row.prediction_id))
      if (replaced === undefined) summary.add(row, context)
      else summary.replace(replaced.summary, row, context, before.get(row.prediction_id))
    }
    const ids = hashColumn(columnOf(block, 'prediction_id'))
    hashes.push(Uint32Array.from(rows, (row) => ids[row] ?? 0))
    await writeRows(writer, forms, batch, { ...found, block, rows })
    written += rows.length
  }
  if (batch.summary !== null && known.size === 0) summary.merge(batch.summary)
  return written
}

const contextsBefore = async (
  known: ReadonlyMap<string, KnownRow>,
  contextsOf: ContextsOf | undefined,
): Promise<ReadonlyMap<string, RecordContext>> =>
  contextsOf === undefined || known.size === 0
    ? new Map()
    : askContexts(contextsOf, [...new Set([...known.values()].map(({ summary }) => summary.prediction_id))])

/** Rows with what is known of them: as they bring it, else as the metadata has it. */
const withContexts = async (
  rows: readonly SummaryRow[],
  contextOf: (index: number) => RecordContext | undefined,
  contextsOf: ContextsOf | undefined,
): Promise<readonly (readonly [SummaryRow, RecordContext | undefined])[]> => {
  const brought = rows.map((row, index) => [row, contextOf(index)] as const)
  const open = brought.flatMap(([{ prediction_id }, context]) => (context === undefined ? [prediction_id] : []))
  if (contextsOf === undefined || open.length === 0) return brought
  const found = await askContexts(contextsOf, open)
  return brought.map(([row, context]) => [row, context ?? found.get(row.prediction_id) ?? {}])
}

const writeRows = async (writer: ArrayFileWriter, forms: readonly ColumnForm[], batch: RowBatch, found: BatchBlock): Promise<void> => {
  const { reader } = batch
  const isWhole = found.group !== null && found.rows.length === rowsOf(found.block)
  const canCopy = isWhole && reader?.canGrow && sameForms(reader.forms, forms) && reader.file.checksums !== null
  if (canCopy && found.group !== null && (await writer.copyGroup(reader.file, found.group))) return
  await writer.writeBlock(found.rows.length === rowsOf(found.block) ? found.block : takeRows(found.block, found.rows))
}

/** The rows of these that the file does not have bit for bit. */
const newRows = (
  block: RowBlock,
  rows: readonly number[],
  forms: readonly ColumnForm[],
  known: ReadonlyMap<string, KnownRow>,
): readonly number[] => {
  if (known.size === 0) return rows
  const ids = textsOf(columnOf(block, 'prediction_id'))
  const datasets = textsOf(columnOf(block, 'dataset_name'))
  return rows.filter((row) => {
    const before = known.get(rowKey(datasets[row] ?? '', ids[row] ?? ''))
    return before === undefined || digestRows(block, namesOf(forms), [row])[0] !== before.digest
  })
}

/** A block with exactly the columns of the file. */
export const completed = (block: RowBlock, forms: readonly ColumnForm[]): RowBlock =>
  forms.map(({ name, type }) => block.find((column) => column.name === name) ?? nullColumn(name, type, rowsOf(block)))

const copyAllRows = async (reader: ArrayFileReader, writer: ArrayFileWriter, forms: readonly ColumnForm[]): Promise<void> => {
  await reader.requireDecodable()
  for await (const { block } of reader.blocks()) await writer.writeBlock(completed(block, forms))
}

const namesOf = (forms: readonly ColumnForm[]): string[] => forms.map(({ name }) => name)

/**
 * The summary of a file so far: the embedded one, or, where that is of another version or tells of more rows than there are, what the rows
 * themselves say, with what only the embedded one knows.
 */
export const summaryOf = async (reader: ArrayFileReader): Promise<FileSummary> => {
  const embedded = readSummary(reader.file.footer)
  const fits = embedded !== null && embedded.rows <= reader.rows ? embedded : null
  return fits?.version === summaryVersion ? fits : summariseRows(reader, fits)
}

const finishSummary = async (rows: NewRows & { readonly reader: ArrayFileReader | null }): Promise<FileSummary> => {
  const { summary, reader, batch, forms, known, contextsOf } = rows
  const result = summary.result()
  if (reader === null) return result
  const replaced = summary.isStale || !summary.hasExactContext ? await replacedRows(reader) : null
  if (replaced === null) return result
  const isKept = (_: number, dataset: string, id: string) => !known.has(rowKey(dataset, id))
  // Of a row that may have been the best, or the first, only all rows together tell what is now.
  const afresh = new SummaryBuilder(null, result.refits)
  const contexts = new ContextCounts()
  if (summary.isStale)
    await addLiveRows(afresh, reader, replaced, (row, { dataset_name, prediction_id }) => isKept(row, dataset_name, prediction_id))
  if (!summary.hasExactContext && contextsOf !== undefined)
    await countContexts(contexts, contextsOf, { reader, replaced }, (row, id, dataset) => isKept(row, dataset, id))
  for await (const found of batch.blocks()) {
    const added = summaryRows(completed(found.block, forms), found.rows)
    for (const [row, context] of await withContexts(added, (index) => found.contextOf(found.rows[index] ?? 0), contextsOf)) {
      afresh.add(row, undefined)
      contexts.add(context)
    }
  }
  const scored = summary.isStale ? afresh.withContextOf(result) : result
  return summary.hasExactContext || contextsOf === undefined ? scored : withContext(scored, contexts)
}

/** The summary of the rows that count, as far as the file itself tells, with the branches, refits and times of another. */
export const summariseRows = async (reader: ArrayFileReader, base: FileSummary | null = null): Promise<FileSummary> => {
  const builder = new SummaryBuilder(null, base?.refits)
  await addLiveRows(builder, reader, await replacedRows(reader), () => true)
  return builder.withContextOf(base)
}
