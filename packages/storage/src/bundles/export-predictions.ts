import { type PredictionFilter, PredictionFilter as PredictionFilterSchema } from '@nirs-workspace/types'
import * as z from 'zod'
import { storeTables } from '../catalog/catalog-schema.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { type ExportContext, openExportEngine } from '../export/export-context.ts'
import { allowedTarget, describeFile, writeBeside } from '../export/export-target.ts'
import { checkGiven } from '../options/check-options.ts'
import { optionsOf, text } from '../options/option-schemas.ts'
import { whereClause } from '../predictions/filter-clause.ts'

export interface PredictionsExport {
  readonly filters?: Partial<PredictionFilter> | undefined
  /** A new or existing file outside the workspace; it appears whole or not at all. */
  readonly target: string
}

export interface WrittenFile {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

const parents = ['run_id', 'run_name', 'pipeline_name', 'fold_kind', 'aggregated', 'has_arrays']
const Copied = z.object({ Count: z.number() })

const Request = optionsOf<PredictionsExport>({ filters: PredictionFilterSchema.partial().optional(), target: text })

/**
 * The metadata of predictions (every column of nirs4all's table, the names of their parents, no arrays) as one Parquet file in order of
 * dataset and prediction_id. `created_at` is as the store has it; `created_at_text` ends with a Z where that is UTC. `exportDataset` writes arrays too. Throws `path_not_allowed`, `no_space`, `write_failed`.
 */
export const exportPredictionsParquet = async (context: ExportContext, request: PredictionsExport): Promise<WrittenFile> => {
  checkGiven(Request, request, 'the request')
  const { filters, target } = request
  const path = await allowedTarget(context.resolved.root, target)
  const engine = await openExportEngine(context)
  try {
    const where = whereClause(PredictionFilterSchema.parse(filters ?? {}))
    const columns = [...storeTables.predictions.map(({ name }) => name), ...parents].map(quotedIdentifier).join(', ')
    // A store.sqlite may hold both kinds of times, and a timestamp does not say which one it is.
    const sql = `SELECT ${columns}, catalog.main.written_time(created_at) AS created_at_text FROM catalog.main.predictions ${where.sql} ORDER BY dataset_name, prediction_id`
    const rows = await writeBeside(path, async (beside) => {
      const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION V1'
      const { Count } = await engine.one(Copied, `COPY (${sql}) TO $export_path (${options})`, {
        ...bindable(where.parameters),
        export_path: beside,
      })
      return Count
    })
    return { path, rows, ...(await describeFile(path)) }
  } finally {
    engine.close()
  }
}

/** A filter binds text and numbers only. */
const bindable = (parameters: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
