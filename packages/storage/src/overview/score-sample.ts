import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { cvContest, metricKeySql, metricsUnder } from '../predictions/ranking.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'

const SAMPLE = 200

/**
 * Validation scores of every dataset's most frequent metric, in all its spellings, sorted: all of them up to 200, else 200 at even distances in rank, the
 * smallest and the largest included.
 */
export const sampleScores = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, number[]>> => {
  const { condition, score } = cvContest()
  const key = metricKeySql(await metricsUnder(catalog, { sql: 'true', parameters: {} }, options))
  const step = (before: number) => `((place - ${before}) * ${SAMPLE - 1} // (n - 1))`
  const sql = `WITH metrics AS (
      SELECT dataset_name, ${key.sql} AS metric_key FROM ${PREDICTIONS} GROUP BY dataset_name, metric_key
      QUALIFY row_number() OVER (PARTITION BY dataset_name ORDER BY count(*) DESC, metric_key) = 1),
    ranked AS (
      SELECT dataset_name, ${score} AS score, row_number() OVER (PARTITION BY dataset_name ORDER BY ${score}) AS place,
        count(*) OVER (PARTITION BY dataset_name) AS n
      FROM (SELECT *, ${key.sql} AS metric_key FROM ${PREDICTIONS} WHERE ${condition}) SEMI JOIN metrics USING (dataset_name, metric_key))
    SELECT dataset_name, score FROM ranked
    WHERE n <= ${SAMPLE} OR place = 1 OR ${step(1)} <> ${step(2)}
    ORDER BY dataset_name, score`
  return groupRows(
    await readRows(catalog, { sql, parameters: key.parameters }, (value) => [readText(value(0)), readNumber(value(1))] as const, options),
  )
}
