import type { DatasetOverview } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from '../predictions/catalog-reader.ts'
import { groupRows } from '../predictions/group-rows.ts'
import { metricKeySql, metricsUnder } from '../predictions/ranking.ts'
import { readNumber, readText } from '../predictions/value-reader.ts'

type Counts = Pick<DatasetOverview, 'dataset_name' | 'task_type' | 'predictions' | 'models' | 'arrays'>

/** Counts of every dataset, by name. `task_type` is the most frequent one. */
export const countDatasets = (catalog: CatalogReader, options: QueryOptions): Promise<Counts[]> => {
  const sql = `SELECT dataset_name, arg_max(task_type, (n, task_type)), sum(n)::BIGINT, sum(arrays)::BIGINT,
      (SELECT count(DISTINCT model_name) FROM ${PREDICTIONS} p WHERE p.dataset_name = g.dataset_name)
    FROM (SELECT dataset_name, task_type, count(*) AS n, count(*) FILTER (has_arrays) AS arrays FROM ${PREDICTIONS} GROUP BY ALL) g
    GROUP BY dataset_name ORDER BY dataset_name`
  return readRows(
    catalog,
    { sql, parameters: {} },
    (value) => ({
      dataset_name: readText(value(0)),
      task_type: readText(value(1)),
      predictions: readNumber(value(2)),
      arrays: readNumber(value(3)),
      models: readNumber(value(4)),
    }),
    options,
  )
}

/** Metrics of every dataset, the most frequent first; the spellings of one metric beside each other. */
export const metricsByDataset = async (catalog: CatalogReader, options: QueryOptions): Promise<Map<string, string[]>> => {
  const key = metricKeySql(await metricsUnder(catalog, { sql: 'true', parameters: {} }, options))
  const sql = `SELECT dataset_name, metric FROM (
      SELECT dataset_name, metric, ${key.sql} AS metric_key, count(*) AS n FROM ${PREDICTIONS} GROUP BY ALL)
    ORDER BY dataset_name, sum(n) OVER (PARTITION BY dataset_name, metric_key) DESC, metric_key, n DESC, metric`
  return groupRows(
    await readRows(catalog, { sql, parameters: key.parameters }, (value) => [readText(value(0)), readText(value(1))] as const, options),
  )
}
