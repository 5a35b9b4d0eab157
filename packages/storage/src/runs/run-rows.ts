import { metricDirection, type RunBest, type RunRow } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { cvContest, knownDirections, metricsUnder, rankingKey } from '../predictions/ranking.ts'
import { readNumber, readText, readWireNumber } from '../predictions/value-reader.ts'
import type { RunHead } from './run-heads.ts'

/** Completes runs with what must be counted and ranked. */
export const makeRunRows = async (catalog: CatalogReader, heads: readonly RunHead[], options: QueryOptions = {}): Promise<RunRow[]> => {
  if (heads.length === 0) return []
  const ids = heads.map((head) => head.run_id)
  const [pipelines, predictions, best] = await Promise.all([
    countByRun(catalog, 'catalog.pipelines', ids, options),
    countByRun(catalog, PREDICTIONS, ids, options),
    bestByRun(catalog, ids, options),
  ])
  return heads.map((head) => ({
    ...head,
    n_pipelines: pipelines.get(head.run_id) ?? 0,
    n_predictions: predictions.get(head.run_id) ?? 0,
    best: best.get(head.run_id) ?? [],
  }))
}

const countByRun = async (catalog: CatalogReader, table: string, ids: readonly string[], options: QueryOptions) => {
  const sql = `SELECT run_id, count(*) FROM ${table} WHERE run_id IN (SELECT unnest($ids)) GROUP BY run_id`
  return new Map(
    await readRows(catalog, { sql, parameters: { ids } }, (value) => [readText(value(0)), readNumber(value(1))] as const, options),
  )
}

/** Best cross-validation row of every run, dataset and metric of known direction. */
const bestByRun = async (catalog: CatalogReader, ids: readonly string[], options: QueryOptions): Promise<Map<string, RunBest[]>> => {
  const { condition, score } = cvContest()
  const ofTheseRuns = `${condition} AND run_id IN (SELECT unnest($ids))`
  const metrics = await metricsUnder(catalog, { sql: ofTheseRuns, parameters: { ids } }, options)
  const key = rankingKey(score, knownDirections(metrics))
  const sql = `SELECT run_id, dataset_name, metric, val_score, prediction_id, model_name FROM
      (SELECT *, rowid AS place, ${key.sql} AS key FROM ${PREDICTIONS} WHERE ${ofTheseRuns})
    WHERE key IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY run_id, dataset_name, metric ORDER BY key, prediction_id, place) = 1
    ORDER BY run_id, dataset_name, metric`
  const rows = await readRows(
    catalog,
    { sql, parameters: { ids, ...key.parameters } },
    (value): [string, RunBest] => [
      readText(value(0)),
      {
        dataset_name: readText(value(1)),
        metric: readText(value(2)),
        direction: metricDirection(readText(value(2))),
        val_score: readWireNumber(value(3)),
        prediction_id: readText(value(4)),
        model_name: readText(value(5)),
      },
    ],
    options,
  )
  return groupRows(rows)
}
