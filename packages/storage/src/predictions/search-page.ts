import type { PredictionFilter, SortKey } from '@nirs-workspace/types'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { FilterSummary } from './catalog-cache.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { whereClause } from './filter-clause.ts'
import { orderClause, sortKeysOf, tiesOf } from './order-clause.ts'
import { readNumber, readText } from './value-reader.ts'

/**
 * The first rows under a filter together with its summary, from one scan. Worth it for a text search, whose scan is by far the dearest
 * part; other filters are read faster twice than kept once.
 */
export const searchFirstRows = async (
  catalog: CatalogReader,
  { filter, sort }: { filter: PredictionFilter; sort: readonly SortKey[] },
  take: number,
  options: QueryOptions,
): Promise<{ rowids: Int32Array; summary: FilterSummary }> => {
  const where = whereClause(filter)
  const columns = [...new Set([...tiesOf(sort), 'metric', ...sortKeysOf(sort).map(({ column }) => column)])].map(quotedIdentifier)
  const sql = `WITH found AS MATERIALIZED (SELECT rowid, ${columns.join(', ')} FROM ${PREDICTIONS} ${where.sql})
    SELECT true, metric, count(*) FROM found GROUP BY metric
    UNION ALL (SELECT false, '', rowid FROM found ${orderClause(sort)} LIMIT ${take})`
  const rows = await readRows(
    catalog,
    { sql, parameters: where.parameters },
    (value) => ({ counted: value(0) === true, metric: readText(value(1)), number: readNumber(value(2)) }),
    options,
  )
  const counts = rows.filter((row) => row.counted)
  const found = rows.filter((row) => !row.counted)
  return {
    rowids: Int32Array.from(found, (row) => row.number),
    summary: {
      total: counts.reduce((sum, row) => sum + row.number, 0),
      metrics: counts.map((row) => row.metric).sort(compareBytes),
    },
  }
}

const compareBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
