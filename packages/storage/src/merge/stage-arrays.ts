import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { completed, summaryOf } from '../array-store/append-rows.ts'
import { ArrayFileReader } from '../array-store/array-file-reader.ts'
import { countContexts } from '../array-store/ask-contexts.ts'
import { ContextCounts } from '../array-store/context-counts.ts'
import { clashingColumn, uncarriedColumns } from '../array-store/damaged-file.ts'
import { replacedRows } from '../array-store/last-rows.ts'
import { type LazyEngine, withLazyEngine } from '../array-store/lazy-engine.ts'
import { addLiveRows } from '../array-store/live-summary.ts'
import type { RowIdentity } from '../array-store/removed-elsewhere.ts'
import { findRows, rowKey } from '../array-store/row-positions.ts'
import { SummaryBuilder, type SummaryRow, withContext } from '../array-store/summary-builder.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { StorageError } from '../errors.ts'
import { syncFolder } from '../files/disk.ts'
import { type FileMark, markFile } from '../files/hash-file.ts'
import { canCarry, formsWith } from '../migration/array-columns.ts'
import type { ProgressTracker } from '../migration/job-progress.ts'
import { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { type ColumnForm, isColumnType } from '../parquet/column-form.ts'
import type { FileSummary } from '../parquet/own-metadata.ts'
import { knownContexts } from '../store/known-contexts.ts'
import { type ExtendedFile, type IncomingArrays, openIncoming } from './incoming-arrays.ts'
import type { OpenMerge } from './open-merge.ts'
import { type OpenRowsOf, openInTurn } from './rows-in-turn.ts'
import { writeRows } from './write-rows.ts'

/** A finished file beside the one that it takes the place of. */
export interface StagedArrays {
  readonly name: string
  readonly path: string
  readonly mark: FileMark
  readonly rows: number
  /** Size and time of the file that it was made from; null when there is none. */
  readonly before: { readonly bytes: number; readonly mtimeMs: number } | null
}

/**
 * Makes every array file that gets rows anew under `staging`: the file as it is, then the rows of the sources under their new ids, which are
 * read back and compared. Row groups that are there are neither decoded nor changed. Throws `arrays_corrupt` for damage on either side,
 * `verification_failed`.
 */
export const stageArrays = async (
  merge: OpenMerge,
  staging: string,
  returned: readonly RowIdentity[],
  progress: ProgressTracker,
): Promise<StagedArrays[]> => {
  const incoming: IncomingArrays[] = []
  try {
    for (const source of merge.sources) incoming.push(await openIncoming(merge, source))
    const datasets = rowsPerDataset(incoming)
    const files = Map.groupBy(datasets.keys(), arrayFileName)
    const expected = [...datasets].map(([name, rows]) => ({ name, rows }))
    progress.expect(
      expected,
      expected.reduce((sum, { rows }) => sum + rows, 0),
      0,
      files.size,
    )
    progress.phase('stage', 'Writing and comparing arrays')
    const staged: StagedArrays[] = []
    for (const [name, own] of files) {
      merge.request.signal?.throwIfAborted()
      progress.datasets(own, 'staging')
      const file = await withLazyEngine((engine) => stageOne(merge, engine, { name, staging, datasets: own, incoming, returned }))
      staged.push(file)
      progress.rows(own, file.rows, 0)
      progress.datasets(own, 'done')
      progress.step()
    }
    if (staged.length > 0) await syncFolder(staging)
    return staged
  } finally {
    for (const source of incoming) await source.close()
  }
}

const rowsPerDataset = (incoming: readonly IncomingArrays[]): Map<string, number> => {
  const datasets = new Map<string, number>()
  for (const source of incoming) for (const [name, rows] of source.datasets) datasets.set(name, (datasets.get(name) ?? 0) + rows)
  return datasets
}

interface FileToStage {
  readonly name: string
  readonly staging: string
  readonly datasets: readonly string[]
  readonly incoming: readonly IncomingArrays[]
  readonly returned: readonly RowIdentity[]
}

const stageOne = async (
  merge: OpenMerge,
  engine: LazyEngine,
  { name, staging, datasets, incoming, returned }: FileToStage,
): Promise<StagedArrays> => {
  const sources = incoming.filter((source) => datasets.some((dataset) => source.datasets.has(dataset)))
  const expected = sources.reduce((sum, source) => sum + datasets.reduce((own, dataset) => own + (source.datasets.get(dataset) ?? 0), 0), 0)
  const path = join(staging, name)
  const existing = await openExisting(merge, name, engine)
  try {
    const forms = formsOf(
      existing?.reader ?? null,
      sources.flatMap((source) => source.filesOf(datasets)),
    )
    const writer = await beginFile(path, existing?.reader ?? null, forms)
    const summary = new SummaryBuilder(existing === null ? null : await summaryBefore(merge, existing.reader, returned))
    const parts = sources.map((source): OpenRowsOf => ({ engine: source.engine, sql: source.rowsSql(datasets, forms) }))
    const rows = await writeRows(writer, forms, summary, openInTurn(parts, merge.request.signal), merge.request.signal)
    if (rows !== expected)
      throw new StorageError('verification_failed', `${expected} rows of ${name} were to come and ${rows} did. Nothing was merged.`)
    return { name, path, mark: await markFile(path), rows, before: existing?.status ?? null }
  } finally {
    await existing?.reader.close()
  }
}

/** The summary of the file, without rows of removed predictions that what comes takes the place of; with what the target knows of the others. */
const summaryBefore = async ({ engine }: OpenMerge, reader: ArrayFileReader, returned: readonly RowIdentity[]): Promise<FileSummary> => {
  const base = await summaryOf(reader)
  const keys = new Set(returned.map(({ prediction_id, dataset_name }) => rowKey(dataset_name, prediction_id)))
  const found = await findRows(reader, new Set(returned.map(({ prediction_id }) => prediction_id)))
  const isSame = ![...found.keys()].some((key) => keys.has(key))
  if (isSame && base.context_exact) return base
  const replaced = await replacedRows(reader)
  const builder = new SummaryBuilder(isSame ? base : null, base.refits)
  const isKept = (_: number, { dataset_name, prediction_id }: SummaryRow) => !keys.has(rowKey(dataset_name, prediction_id))
  if (!isSame) await addLiveRows(builder, reader, replaced, isKept)
  const contexts = new ContextCounts()
  const contextsOf = knownContexts(engine, 'target_catalog.main.predictions')
  await countContexts(contexts, contextsOf, { reader, replaced }, (_, id, dataset) => !keys.has(rowKey(dataset, id)))
  return withContext(builder.result(), contexts)
}

/** The file goes on as it is where it can; one that another program wrote is written anew, row by row. */
export const beginFile = async (path: string, reader: ArrayFileReader | null, forms: readonly ColumnForm[]): Promise<ArrayFileWriter> => {
  if (reader?.canGrow === true && forms.length === reader.forms.length) return ArrayFileWriter.extend(path, reader.file)
  const writer = await ArrayFileWriter.create(path, forms)
  try {
    if (reader === null) return writer
    await reader.requireDecodable()
    for await (const { block } of reader.blocks()) await writer.writeBlock(completed(block, forms))
    return writer
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

/** The columns of the file with those that are new to it behind, the fourteen among them; of a new file the fourteen first. */
export const formsOf = (reader: ArrayFileReader | null, files: readonly ExtendedFile[]): ColumnForm[] => {
  // Other programs leave out columns that they have no values for; what comes may have some.
  const there = reader?.forms ?? []
  const forms = new Map(
    [...there, ...formsWith([]).filter(({ name }) => !there.some((form) => form.name === name))].map((form) => [form.name, form]),
  )
  const origins = new Map<string, string>()
  for (const { extras, name } of files) {
    const odd = extras.filter((extra) => !canCarry(extra)).map((extra) => extra.name)
    if (odd.length > 0) throw uncarriedColumns(name, odd)
    for (const { name: column, type } of extras) {
      if (!isColumnType(type)) continue
      const form = forms.get(column) ?? { name: column, type }
      if (form.type !== type)
        throw clashingColumn(
          { form: { name: column, type }, of: name },
          { form, of: origins.get(column) ?? reader?.name ?? 'another file' },
        )
      if (!forms.has(column)) origins.set(column, name)
      forms.set(column, form)
    }
  }
  const isSame = reader?.canGrow === true && forms.size === reader.forms.length
  if (reader !== null && !isSame && reader.uncarried.length > 0) throw uncarriedColumns(reader.name, reader.uncarried)
  return [...forms.values()]
}

interface Existing {
  readonly reader: ArrayFileReader
  readonly status: { readonly bytes: number; readonly mtimeMs: number }
}

const openExisting = async ({ target }: OpenMerge, name: string, engine: LazyEngine): Promise<Existing | null> => {
  if (target === null) return null
  const status = await stat(join(target.resolved.arrays, name)).catch(() => null)
  if (status === null) return null
  const reader = await ArrayFileReader.open(target.resolved.root, `arrays/${name}`, engine)
  return { reader, status: { bytes: status.size, mtimeMs: status.mtimeMs } }
}
