import { quotedIdentifier } from '../engine/attach-store.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows, type SqlPart } from './catalog-reader.ts'
import { searchWords, whereClause } from './filter-clause.ts'
import { hasNonFinite, orderClause, sortKeysOf } from './order-clause.ts'
import type { OrderQuery } from './order-index.ts'
import { readNumber, readNumberOrNull } from './value-reader.ts'

/** Row ids of a page near the beginning (or, `backwards`, near the end): DuckDB keeps only the best few while it scans. */
export const topRows = async (
  catalog: CatalogReader,
  query: OrderQuery,
  page: { skip: number; take: number; backwards: boolean },
  options: QueryOptions = {},
): Promise<Int32Array> => {
  const where = whereClause(query.filter)
  const edge = page.backwards ? null : await scoreEdge(catalog, query, page.skip + page.take, options)
  const sql = `SELECT rowid::INTEGER FROM (SELECT *, rowid FROM ${PREDICTIONS} ${where.sql}) ${edge?.sql ?? ''}
    ${orderClause(query.sort, page.backwards)} LIMIT ${page.take} OFFSET ${page.skip}`
  const parameters = { ...where.parameters, ...edge?.parameters }
  const rowids = await readRows(catalog, { sql, parameters }, (value) => readNumber(value(0)), options)
  return Int32Array.from(page.backwards ? rowids.reverse() : rowids)
}

/**
 * A condition that keeps the first `rows` rows of an order that begins with a score, and few others. Finding the score at the edge reads
 * one column; without it, the ids that break ties would be read for every row. Null where it does not apply or does not pay.
 */
const scoreEdge = async (
  catalog: CatalogReader,
  { filter, sort }: OrderQuery,
  rows: number,
  options: QueryOptions,
): Promise<SqlPart | null> => {
  const [key] = sortKeysOf(sort)
  if (key === undefined || !hasNonFinite(key.column) || searchWords(filter.q).length > 0) return null
  const [name, best, side] = [quotedIdentifier(key.column), key.direction === 'asc' ? 'min' : 'max', key.direction === 'asc' ? '<=' : '>=']
  const where = whereClause(filter)
  const sql = `SELECT len(scores), list_last(scores)
    FROM (SELECT ${best}(${name}, ${rows}) FILTER (isfinite(${name})) AS scores FROM ${PREDICTIONS} ${where.sql})`
  const [found] = await readRows(
    catalog,
    { sql, parameters: where.parameters },
    (value) => ({ count: readNumberOrNull(value(0)), edge: readNumberOrNull(value(1)) }),
    options,
  )
  if (found?.edge === undefined || found.edge === null || found.count !== rows) return null
  return { sql: `WHERE isfinite(${name}) AND ${name} ${side} $edge::DOUBLE`, parameters: { edge: String(found.edge) } }
}
