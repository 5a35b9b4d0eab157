import { type BestCv, type BestRefit, metricDirection } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { type Contest, cvContest, knownDirections, metricsUnder, rankingKey, refitContest } from '../predictions/ranking.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'

/** Best cross-validation row of every dataset, one per metric of known direction. */
export const bestCv = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, BestCv[]>> =>
  groupRows(
    (await winners(catalog, cvContest(), options)).map(({ dataset_name, score, ...row }) => [dataset_name, { ...row, val_score: score }]),
  )

/** Best refit of every dataset by its test score, one per metric of known direction. */
export const bestRefit = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, BestRefit[]>> =>
  groupRows(
    (await winners(catalog, refitContest, options)).map(({ dataset_name, score, preprocessings: _, ...row }) => [
      dataset_name,
      { ...row, test_score: score },
    ]),
  )

const winners = async (catalog: CatalogReader, { condition, score }: Contest, options: QueryOptions) => {
  const metrics = await metricsUnder(catalog, { sql: condition, parameters: {} }, options)
  const key = rankingKey(score, knownDirections(metrics))
  const sql = `SELECT dataset_name, metric, ${score}, prediction_id, model_name, preprocessings FROM
      (SELECT *, rowid AS place, ${key.sql} AS key FROM ${PREDICTIONS} WHERE ${condition})
    WHERE key IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY dataset_name, metric ORDER BY key, prediction_id, place) = 1
    ORDER BY dataset_name, metric`
  return readRows(
    catalog,
    { sql, parameters: key.parameters },
    (value) => ({
      dataset_name: readText(value(0)),
      metric: readText(value(1)),
      direction: metricDirection(readText(value(1))),
      score: readNumber(value(2)),
      prediction_id: readText(value(3)),
      model_name: readText(value(4)),
      preprocessings: readText(value(5)),
    }),
    options,
  )
}
