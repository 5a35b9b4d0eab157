import { type ExportedFile, ExportLayout, PredictionFilter } from '@nirs-workspace/types'
import * as z from 'zod'
import { foreignArrays } from '../arrays/fits-samples.ts'
import { withEnoughMemory } from '../engine/enough-memory.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import { optionsOf, signal, text } from '../options/option-schemas.ts'
import { whereClause } from '../predictions/filter-clause.ts'
import { type DatasetExport, type ExportContext, openExportEngine } from './export-context.ts'
import { exportMetadata } from './export-metadata.ts'
import { dropPlan, type ExportPlan, makePlan } from './export-plan.ts'
import { type ExportQuery, exportQuery, foreignIn, streamingJoins } from './export-query.ts'
import { closeSources, type ExportSource, namedAfterSource, openExportSources } from './export-sources.ts'
import { allowedTarget, describeFile, removeIfThere, writeBeside } from './export-target.ts'
import { nothingToExport } from './nothing-to-export.ts'
import { refuseResavedRows, requireArrays } from './require-arrays.ts'
import { writeCsv } from './write-csv.ts'
import { writeParquet } from './write-parquet.ts'

const Request = optionsOf<DatasetExport>({
  dataset_name: text,
  filters: PredictionFilter.partial().optional(),
  format: z.enum(['parquet', 'csv', 'arrow']),
  layout: ExportLayout,
  csv_dialect: z.enum(['plain', 'excel-fr']),
  target: text,
  signal,
})

/**
 * Writes the predictions of one dataset, under the filters, with their arrays, to one file in the order in which the arrays are
 * stored (docs/formats.md). The workspace is only read; the file appears whole or not at all. Rows stream through: memory does not grow with
 * their number.
 * Throws `dataset_not_found`, `nothing_to_export` when it would hold no row, `arrays_corrupt`, `arrays_missing`, `store_locked`, `path_not_allowed`, `no_space`, `write_failed`.
 */
export const exportDataset = async (context: ExportContext, request: DatasetExport): Promise<ExportedFile> => {
  checkGiven(Request, request, 'the request')
  const engine = await openExportEngine(context)
  try {
    return await exportWith(engine, context, request)
  } finally {
    engine.close()
  }
}

/** As `exportDataset`, with an engine from `openExportEngine` that may serve several exports, one after the other. */
export const exportWith = async (engine: Engine, context: ExportContext, request: DatasetExport): Promise<ExportedFile> => {
  request.signal?.throwIfAborted()
  const target = await allowedTarget(context.resolved.root, request.target)
  const interrupt = () => engine.connection.interrupt()
  request.signal?.addEventListener('abort', interrupt)
  try {
    const where = whereClause(PredictionFilter.parse(request.filters ?? {}))
    const plan = await makePlan(engine, context.resolved.arrays, request, where)
    try {
      if (plan.predictions === 0) throw nothingToExport(request, plan)
      const rows = await writeBeside(target, (path) => writeArrays(engine, context, request, plan, path))
      return { path: target, dataset_name: request.dataset_name, rows, ...(await describeFile(target)), warnings: [...plan.warnings] }
    } finally {
      await dropPlan(engine, plan)
    }
  } catch (error) {
    request.signal?.throwIfAborted()
    throw error
  } finally {
    request.signal?.removeEventListener('abort', interrupt)
  }
}

const writeArrays = async (engine: Engine, context: ExportContext, request: DatasetExport, plan: ExportPlan, path: string) => {
  const sources = await openExportSources(engine, context.resolved, plan.table, request.signal)
  try {
    await requireArrays(engine, plan.table)
    await refuseResavedRows(engine, plan.table, sources)
    const query = exportQuery(request.layout, plan.table, sources)
    await engine.run(streamingJoins)
    const metadata = exportMetadata(request, plan, new Date())
    const rows = await withEnoughMemory(engine, async () => {
      await removeIfThere(path)
      return writeFormat(engine, request, { query, sources, metadata, path })
    })
    if (request.layout === 'prediction' && rows !== plan.predictions) {
      throw new StorageError(
        'verification_failed',
        `${plan.predictions} predictions were asked for and ${rows} came out. No file was kept.`,
      )
    }
    if (rows === 0) throw nothingToExport(request, plan)
    return rows
  } catch (error) {
    throw asForeign(sources, error) ?? namedAfterSource(sources, error)
  } finally {
    await closeSources(sources)
  }
}

/** What no chart shows must not leave as a number either. */
const asForeign = (sources: readonly ExportSource[], error: unknown): StorageError | null => {
  const found = error instanceof Error ? foreignIn(sources, error.message) : null
  return found === null ? null : foreignArrays(found.place, [found.id])
}

interface Writing {
  readonly query: ExportQuery
  readonly sources: readonly ExportSource[]
  readonly metadata: ReadonlyMap<string, string>
  readonly path: string
}

const writeFormat = async (engine: Engine, request: DatasetExport, { query, sources, metadata, path }: Writing): Promise<number> => {
  if (request.format === 'csv') return writeCsv(engine, query, path, request.csv_dialect)
  if (request.format === 'arrow') return (await import('./write-arrow.ts')).writeArrow(engine, query, path, metadata, request.signal)
  const rowBytes = await Promise.all(sources.map((source) => source.rowBytes()))
  return writeParquet(engine, query, request.layout, path, metadata, Math.max(0, ...rowBytes))
}
