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
import { uncarriedColumns } from './damaged-file.ts'
import { hashColumn, type IdHashes } from './id-hashes.ts'
import { replacedRows } from './last-rows.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { addLiveRows } from './live-summary.ts'
import type { BatchBlock, RowBatch } from './row-batch.ts'
import { digestRows } from './row-digest.ts'
import { blocksWith, findRows, rowKey } from './row-positions.ts'
import { SummaryBuilder, type SummaryRow, summaryRows } from './summary-builder.ts'

export interface AppendContext {
  readonly folder: ArrayFolder
  readonly engine: LazyEngine
  readonly signal?: AbortSignal | undefined
}

/**
 * Adds rows to the array file that `reader` has open, or makes it. Rows that the file has already, bit for bit, are left out; of the others the new one counts
 * from now on. The file changes as a whole, durably, after what was added has been read back; or not at all.
 */
export const appendRows = async (
  { folder, signal }: AppendContext,
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
    const written = await writeNewRows(writer, forms, batch, known, summary, hashes, signal)
    if (written === 0) return 0
    await completeFile(writer, await finishSummary(summary, reader, batch, forms, known))
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

const writeNewRows = async (
  writer: ArrayFileWriter,
  forms: readonly ColumnForm[],
  batch: RowBatch,
  known: ReadonlyMap<string, KnownRow>,
  summary: SummaryBuilder,
  hashes: IdHashes[],
  signal: AbortSignal | undefined,
): Promise<number> => {
  let written = 0
  for await (const found of batch.blocks()) {
    signal?.throwIfAborted()
    const block = completed(found.block, forms)
    const rows = newRows(block, found.rows, forms, known)
    if (rows.length === 0) continue
    // When nothing was there before, the summary of the batch is taken as a whole.
    const counted = batch.summary !== null && known.size === 0 ? [] : summaryRows(block, rows)
    counted.forEach((row, index) => {
      const before = known.get(rowKey(row.dataset_name, row.prediction_id))
      const context = found.contextOf(rows[index] ?? 0)
      if (before === undefined) summary.add(row, context)
      else summary.replace(before.summary, row, context)
    })
    const ids = hashColumn(columnOf(block, 'prediction_id'))
    hashes.push(Uint32Array.from(rows, (row) => ids[row] ?? 0))
    await writeRows(writer, forms, batch, { ...found, block, rows })
    written += rows.length
  }
  if (batch.summary !== null && known.size === 0) summary.merge(batch.summary)
  return written
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

const finishSummary = async (
  summary: SummaryBuilder,
  reader: ArrayFileReader | null,
  batch: RowBatch,
  forms: readonly ColumnForm[],
  known: ReadonlyMap<string, KnownRow>,
) => {
  if (!summary.isStale || reader === null) return summary.result()
  // A row that may have been the best has been replaced: only all rows together tell which is now.
  const base = summary.result()
  const afresh = new SummaryBuilder(null, base.refits)
  const isKept = (_: number, { dataset_name, prediction_id }: SummaryRow) => !known.has(rowKey(dataset_name, prediction_id))
  await addLiveRows(afresh, reader, await replacedRows(reader), isKept)
  for await (const found of batch.blocks())
    for (const row of summaryRows(completed(found.block, forms), found.rows)) afresh.add(row, undefined)
  return afresh.withContextOf(base)
}

/** The summary of the rows that count, as far as the file itself tells, with the branches, refits and times of another. */
export const summariseRows = async (reader: ArrayFileReader, base: FileSummary | null = null): Promise<FileSummary> => {
  const builder = new SummaryBuilder(null, base?.refits)
  await addLiveRows(builder, reader, await replacedRows(reader), () => true)
  return builder.withContextOf(base)
}
