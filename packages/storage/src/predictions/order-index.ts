import type { PredictionFilter, SortKey } from '@nirs-workspace/types'
import { streamChunks } from '../engine/stream-chunks.ts'
import { cacheOf } from './catalog-cache.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions } from './catalog-reader.ts'
import { filterKey, whereClause } from './filter-clause.ts'
import { orderClause } from './order-clause.ts'
import { readNumber } from './value-reader.ts'

export interface OrderQuery {
  readonly filter: PredictionFilter
  readonly sort: readonly SortKey[]
}

const orderKey = ({ filter, sort }: OrderQuery): string => `${orderClause(sort)} ${filterKey(filter)}`

/** Row ids in the asked order, if a former request has left them. */
export const knownOrder = (catalog: CatalogReader, query: OrderQuery): Int32Array | undefined =>
  cacheOf(catalog).orders.peek(orderKey(query))

/**
 * Row ids of all rows under the filter in the asked order: one sort of narrow rows, after which any page is a slice. Requests for the
 * same order share one computation. `total` is the number of rows under the filter.
 */
export const orderIndex = (catalog: CatalogReader, query: OrderQuery, total: number, { signal }: QueryOptions = {}): Promise<Int32Array> =>
  cacheOf(catalog).orders.get(orderKey(query), (shared) => sortRows(catalog, query, total, shared), signal)

const sortRows = async (catalog: CatalogReader, { filter, sort }: OrderQuery, total: number, signal: AbortSignal): Promise<Int32Array> => {
  const where = whereClause(filter)
  const sql = `SELECT rowid::INTEGER FROM ${PREDICTIONS} ${where.sql} ${orderClause(sort)}`
  const order = new Int32Array(total)
  let filled = 0
  for await (const chunk of streamChunks(catalog.engine, sql, where.parameters, signal)) {
    for (const rowid of chunk.values(0)) {
      order[filled] = readNumber(rowid)
      filled += 1
    }
  }
  if (filled !== total) throw new Error(`Sorted ${filled} rows of ${total}`)
  return order
}
