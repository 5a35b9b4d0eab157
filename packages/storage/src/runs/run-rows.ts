import { type FoldKind, metricDirection, metricKey, type PredictionRow, type RunBest, type RunRow } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { bestRows, cvContest, knownDirections, metricsUnder } from '../predictions/ranking.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'
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

/** What may stand for a run, most telling first: one fold alone can be better than its model is, and a fit without folds is no cross-validation. */
const kinds: readonly FoldKind[] = ['average', 'fold', 'single']

/** Best cross-validation row of every run, dataset and metric of known direction, of the first kind that it has. */
const bestByRun = async (catalog: CatalogReader, ids: readonly string[], options: QueryOptions): Promise<Map<string, RunBest[]>> => {
  const narrowing = { sql: 'run_id IN (SELECT unnest($ids))', parameters: { ids } }
  const under = { sql: `${cvContest(kinds).condition} AND ${narrowing.sql}`, parameters: narrowing.parameters }
  const directions = knownDirections(await metricsUnder(catalog, under, options))
  const podium = { contest: cvContest(kinds), directions, within: ['run_id', 'dataset_name', 'fold_kind'], n: 1, narrowing } as const
  const found = new Map<string, PredictionRow>()
  for (const row of (await bestRows(catalog, podium, options)).sort(byKind)) {
    const group = JSON.stringify([row.run_id, row.dataset_name, metricKey(row.metric)])
    if (!found.has(group)) found.set(group, row)
  }
  return groupRows([...found.values()].sort(byName).map((row): [string, RunBest] => [row.run_id ?? '', runBest(row)]))
}

const byKind = (a: PredictionRow, b: PredictionRow): number => placeOf(a) - placeOf(b)

const placeOf = ({ fold_kind }: PredictionRow): number => kinds.indexOf(fold_kind)

/** In the order of the bytes, as the catalog orders names. */
const byName = (a: PredictionRow, b: PredictionRow): number =>
  Buffer.compare(Buffer.from(a.dataset_name), Buffer.from(b.dataset_name)) || Buffer.compare(Buffer.from(a.metric), Buffer.from(b.metric))

const runBest = ({ dataset_name, metric, val_score, prediction_id, model_name, fold_id, fold_kind }: PredictionRow): RunBest => ({
  dataset_name,
  metric,
  direction: metricDirection(metric),
  val_score,
  prediction_id,
  model_name,
  fold_id,
  fold_kind,
})
