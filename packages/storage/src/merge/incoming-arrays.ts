import * as z from 'zod'
import { fileOfPlace } from '../arrays/file-of-place.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { Engine } from '../engine/open-engine.ts'
import { streamChunks } from '../engine/stream-chunks.ts'
import { StorageError } from '../errors.ts'
import { portableColumns, shapeOf } from '../export/export-query.ts'
import { closeSources, columnOrNull, type ExportSource, extraColumns, openExportSources } from '../export/export-sources.ts'
import type { ExtraColumn } from '../migration/array-columns.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { lacksArrays } from './count-merge.ts'
import type { MergeSource, OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'
import { ofSource } from './source-views.ts'
import { contextColumns } from './write-rows.ts'

/** The arrays of one source that come, held open in an engine of their own. */
export interface IncomingArrays {
  readonly engine: Engine
  /** Rows per dataset. */
  readonly datasets: ReadonlyMap<string, number>
  /** The files in which the rows of these datasets lie, each with the columns that later releases added to it. */
  filesOf(datasets: readonly string[]): ExtendedFile[]
  /** The rows of these datasets under their new ids: these columns of an array file, then `contextColumns`. */
  rowsSql(datasets: readonly string[], forms: readonly ColumnForm[]): string
  close(): Promise<void>
}

/** A file of arrays and what it has besides the known columns. */
export interface ExtendedFile {
  readonly name: string
  readonly extras: readonly ExtraColumn[]
}

const plan = 'memory.main.incoming'
/** The columns that come from the metadata. */
const described: ReadonlySet<string> = new Set(portableColumns.slice(0, 8).map(({ name }) => name))
const known: ReadonlySet<string> = new Set([...portableColumns.map(({ name }) => name), 'file_row_number'])

/** Opens the arrays of one source that come. Throws `arrays_corrupt` when one of its places is damaged, `plan_stale` when rows are gone. */
export const openIncoming = ({ engine, request }: OpenMerge, { index, resolved }: MergeSource): Promise<IncomingArrays> =>
  openChosen(engine, resolved, chosenOf(index), request.signal)

/**
 * Opens the arrays of the rows that a query over `engine` names: prediction_id, dataset_name, model_name, fold_id, partition, metric, val_score,
 * task_type, array_source, new_id, branch_name, refit_context, created_at (as text).
 */
export const openChosen = async (
  from: Engine,
  resolved: ResolvedWorkspace,
  chosen: string,
  signal: AbortSignal | undefined,
): Promise<IncomingArrays> => {
  const engine = await Engine.open({ memoryLimit: '500MB' })
  let sources: ExportSource[] = []
  const close = async () => {
    await closeSources(sources)
    engine.close()
  }
  try {
    await copyPlan(from, chosen, engine)
    sources = await openExportSources(engine, resolved, plan, signal)
    await requireAll(engine, resolved.name)
    const rows = await engine.rows(
      Counted,
      `SELECT dataset_name, count(*) AS n, list(DISTINCT array_source) AS places FROM ${plan} GROUP BY dataset_name ORDER BY dataset_name`,
    )
    const places = new Map(rows.map((row) => [row.dataset_name, row.places]))
    // Only places that hold some of them: each is opened anew by every query that names it.
    const holding = (datasets: readonly string[]) =>
      sources.filter(({ place }) => datasets.some((dataset) => places.get(dataset)?.includes(place)))
    return {
      engine,
      datasets: new Map(rows.map((row) => [row.dataset_name, row.n])),
      filesOf: (datasets) =>
        holding(datasets).map((source) => ({
          name: `${fileOfPlace(source.place)} of ${resolved.name}`,
          extras: Array.from(extraColumns([source], known), ([name, type]) => ({ name, type })),
        })),
      rowsSql: (datasets, forms) =>
        holding(datasets)
          .map((source) => selectRows(source, datasets, forms))
          .join(' UNION ALL '),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const Counted = z.object({ dataset_name: z.string(), n: z.number(), places: z.array(z.string()) })

/** Predictions of a source whose arrays come: id, dataset_name, array_source, and new_id, under which they come. */
export const comingArrays = (
  index: number,
): string => `SELECT id, dataset_name, array_source, new_id FROM ${arrivals(index)} WHERE array_source IS NOT NULL
  UNION ALL SELECT id, dataset_name, array_source, same_id FROM ${ofSource(index, 'matched')} WHERE ${lacksArrays} AND array_source IS NOT NULL`

const chosenOf = (
  index: number,
): string => `SELECT p.prediction_id, p.dataset_name, p.model_name, p.fold_id, p."partition", p.metric, p.val_score, p.task_type,
    a.array_source, a.new_id, p.branch_name, p.refit_context, p.created_at::VARCHAR
  FROM (${comingArrays(index)}) a JOIN ${ofSource(index, 'predictions')} p ON p.prediction_id = a.id ORDER BY p.dataset_name, p.prediction_id`

/** Which rows come and where they lie, from the engine that worked out the merge into the one that reads arrays. */
const copyPlan = async (from: Engine, chosen: string, to: Engine): Promise<void> => {
  await to.run(`CREATE TABLE ${plan} (prediction_id VARCHAR, dataset_name VARCHAR, model_name VARCHAR, fold_id VARCHAR, "partition" VARCHAR, metric VARCHAR,
    val_score DOUBLE, task_type VARCHAR, array_source VARCHAR, array_row BIGINT, new_id VARCHAR, branch_name VARCHAR, refit_context VARCHAR, created_at VARCHAR)`)
  for await (const chunk of streamChunks(from, chosen)) {
    const text = (column: number) => ({ type: 'varchar' as const, values: chunk.texts(column) })
    const scores = chunk.values(6).map((value) => (typeof value === 'number' ? value : null))
    await appendColumns(to, { alias: 'memory', table: 'incoming' }, [
      ...[0, 1, 2, 3, 4, 5].map(text),
      { type: 'double', values: scores },
      text(7),
      text(8),
      { type: 'bigint', values: scores.map(() => null) },
      ...[9, 10, 11, 12].map(text),
    ])
  }
}

/** A file from which rows have gone since its catalog was made is another state than the one that was worked out. */
const requireAll = async (engine: Engine, name: string): Promise<void> => {
  const lost = await engine.rows(
    z.object({ prediction_id: z.string() }),
    `SELECT prediction_id FROM ${plan} WHERE array_row IS NULL LIMIT 20`,
  )
  if (lost.length === 0) return
  throw new StorageError('plan_stale', `Arrays of ${name} have gone while it was read. Nothing was changed.`, {
    ids: lost.map((row) => row.prediction_id),
    hint: 'Merge again when nothing else works on that workspace.',
  })
}

const selectRows = (source: ExportSource, datasets: readonly string[], forms: readonly ColumnForm[]): string => {
  const values = forms.map(({ name, type }) => {
    if (name === 'prediction_id') return `m.new_id AS prediction_id`
    if (name === 'y_proba_shape') return `${shapeOf(source)} AS y_proba_shape`
    return described.has(name) ? `m.${quotedIdentifier(name)}::${type} AS ${quotedIdentifier(name)}` : columnOrNull(source, name, type)
  })
  const context = ['branch_name', 'refit_context', 'created_at'].map((name, index) => `m.${name} AS ${contextColumns[index]}`)
  return `SELECT ${[...values, ...context].join(', ')} FROM ${source.relation} AS a JOIN ${plan} AS m ON ${source.join}
    WHERE m.array_source = ${quotedString(source.place)} AND m.dataset_name IN (${datasets.map(quotedString).join(', ')})`
}
