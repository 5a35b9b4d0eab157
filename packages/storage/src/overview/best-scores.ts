import { type BestCv, type BestRefit, fromWireNumber, metricDirection, type PredictionRow } from '@nirs-workspace/types'
import type { CatalogReader, QueryOptions } from '../predictions/catalog-reader.ts'
import { leadersOrAll } from '../predictions/find-leaders.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { bestRows, type Contest, cvContest, knownDirections, metricsUnder, refitContest } from '../predictions/ranking.ts'

/** Best cross-validation row of every dataset, one per metric of known direction. */
export const bestCv = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, BestCv[]>> =>
  groupRows(
    (await winners(catalog, cvContest(), options)).map((row) => [
      row.dataset_name,
      { ...common(row), val_score: finite(row.val_score), preprocessings: row.preprocessings },
    ]),
  )

/** Best refit of every dataset by its test score, one per metric of known direction. */
export const bestRefit = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, BestRefit[]>> =>
  groupRows(
    (await winners(catalog, refitContest, options)).map((row) => [
      row.dataset_name,
      { ...common(row), test_score: finite(row.test_score) },
    ]),
  )

const winners = async (catalog: CatalogReader, contest: Contest, options: QueryOptions): Promise<PredictionRow[]> => {
  const table = await leadersOrAll(catalog, options)
  const metrics = await metricsUnder(catalog, { sql: contest.condition, parameters: {} }, options, table)
  return bestRows(catalog, { contest, directions: knownDirections(metrics), within: ['dataset_name'], n: 1, table }, options)
}

const common = ({ metric, prediction_id, model_name }: PredictionRow) => ({
  metric,
  direction: metricDirection(metric),
  prediction_id,
  model_name,
})

/** Only finite scores compete. */
const finite = (score: PredictionRow['val_score']): number => {
  const value = score === null ? Number.NaN : fromWireNumber(score)
  if (!Number.isFinite(value)) throw new Error('A score that is not finite was ranked')
  return value
}
