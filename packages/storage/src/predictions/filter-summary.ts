import type { PredictionFilter } from '@nirs-workspace/types'
import { cacheOf, type FilterSummary } from './catalog-cache.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { filterKey, whereClause } from './filter-clause.ts'
import { readNumber, readText } from './value-reader.ts'

/** How many rows pass the filter and which metrics they have. Remembered per filter. */
export const summarizeFilter = (catalog: CatalogReader, filter: PredictionFilter, { signal }: QueryOptions = {}): Promise<FilterSummary> =>
  cacheOf(catalog).summaries.get(filterKey(filter), (shared) => countRows(catalog, filter, shared), signal)

const countRows = async (catalog: CatalogReader, filter: PredictionFilter, signal: AbortSignal): Promise<FilterSummary> => {
  const where = whereClause(filter)
  const sql = `SELECT metric, count(*) FROM ${PREDICTIONS} ${where.sql} GROUP BY metric ORDER BY metric`
  const counts = await readRows(
    catalog,
    { sql, parameters: where.parameters },
    (value) => ({ metric: readText(value(0)), rows: readNumber(value(1)) }),
    { signal },
  )
  return { total: counts.reduce((sum, { rows }) => sum + rows, 0), metrics: counts.map(({ metric }) => metric) }
}
