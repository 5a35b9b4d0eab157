import type { PipelineRow, RunDetail } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'
import { decodeJson } from '../json/decode-json.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { readNumber, readNumberOrNull, readText, readTextOrNull, readTimestamp, writtenTime } from '../predictions/value-reader.ts'
import { readRunHeads } from './run-heads.ts'
import { makeRunRows } from './run-rows.ts'

/** One run with its configuration and pipelines. Throws `run_not_found`. */
export const getRun = async (catalog: CatalogReader, runId: string, options: QueryOptions = {}): Promise<RunDetail> => {
  const heads = (await readRunHeads(catalog, options)).filter((head) => head.run_id === runId).slice(0, 1)
  const [[row], [rest], pipelines] = await Promise.all([
    makeRunRows(catalog, heads, options),
    readRest(catalog, runId, options),
    readPipelines(catalog, runId, options),
  ])
  if (row === undefined || rest === undefined) {
    throw new StorageError('run_not_found', `This workspace has no run "${runId}".`, {
      hint: 'It may have been removed since the list was loaded.',
      ids: [runId],
    })
  }
  return { ...row, ...rest, pipelines }
}

const readRest = (catalog: CatalogReader, runId: string, options: QueryOptions) =>
  readRows(
    catalog,
    { sql: 'SELECT project_id, config, summary FROM catalog.runs WHERE run_id = $run LIMIT 1', parameters: { run: runId } },
    (value) => ({
      project_id: readTextOrNull(value(0)),
      config: decodeJson(readTextOrNull(value(1))),
      summary: decodeJson(readTextOrNull(value(2))),
    }),
    options,
  )

const readPipelines = (catalog: CatalogReader, runId: string, options: QueryOptions): Promise<PipelineRow[]> => {
  const sql = `SELECT pipeline_id, name, dataset_name, coalesce(status, ''), metric, ${writtenTime('created_at')}, ${writtenTime('completed_at')}, duration_ms,
      (SELECT count(*) FROM ${PREDICTIONS} p WHERE p.pipeline_id = l.pipeline_id), error
    FROM catalog.pipelines l WHERE run_id = $run ORDER BY created_at NULLS LAST, pipeline_id`
  return readRows(
    catalog,
    { sql, parameters: { run: runId } },
    (value) => ({
      pipeline_id: readText(value(0)),
      name: readText(value(1)),
      dataset_name: readText(value(2)),
      status: readText(value(3)),
      metric: readTextOrNull(value(4)),
      created_at: readTimestamp(value(5)),
      completed_at: readTimestamp(value(6)),
      duration_ms: readNumberOrNull(value(7)),
      n_predictions: readNumber(value(8)),
      error: readTextOrNull(value(9)),
    }),
    options,
  )
}
