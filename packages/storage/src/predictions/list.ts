import { type PredictionPage, PredictionQuery } from '@nirs-workspace/types'
import * as z from 'zod'
import { checkGiven } from '../options/check-options.ts'
import { cacheOf } from './catalog-cache.ts'
import type { CatalogReader, QueryOptions } from './catalog-reader.ts'
import { filterKey, searchWords } from './filter-clause.ts'
import { summarizeFilter } from './filter-summary.ts'
import { GivenFilter } from './given-filter.ts'
import { knownOrder, orderIndex } from './order-index.ts'
import { rowsByRowid } from './rows-by-rowid.ts'
import { searchFirstRows } from './search-page.ts'
import { topRows } from './top-rows.ts'

/** Up to here from either end a top-N scan beats sorting everything. */
const DIRECT_ROWS = 2000

/** As the server's, for pages of any length. */
const ListRequest = PredictionQuery.extend({
  filter: GivenFilter,
  limit: z.number().int().min(0),
  offset: z.number().int().min(0),
}).strict()

/**
 * One page of predictions with the exact total. The first and last pages come straight from a scan, pages in between from an index of the
 * order that is made once and kept. Sort keys: finite values first, then non-finite, then null, whatever the direction.
 */
export const listPredictions = async (
  catalog: CatalogReader,
  query: PredictionQuery,
  options: QueryOptions = {},
): Promise<PredictionPage> => {
  checkGiven(ListRequest, query, 'the query')
  // Row ids first: a search leaves the summary behind on its way.
  const paging = pageRowids(catalog, query, options)
  const [rowids, summary] = await Promise.all([paging, summarizeFilter(catalog, query.filter, options)])
  return {
    rows: await rowsByRowid(catalog, rowids, options),
    total: summary.total,
    offset: query.offset,
    metrics: [...summary.metrics],
  }
}

/**
 * Makes the index that pages in the middle of this order come from, so that the first of them is as quick as the rest (a million rows
 * take a few tenths of a second). For callers that have time after a first page. Does nothing where pages need no index.
 */
export const prepareOrder = async (catalog: CatalogReader, query: PredictionQuery, options: QueryOptions = {}): Promise<void> => {
  checkGiven(ListRequest, query, 'the query')
  const { total } = await summarizeFilter(catalog, query.filter, options)
  if (total > 2 * DIRECT_ROWS) await orderIndex(catalog, query, total, options)
}

const pageRowids = async (catalog: CatalogReader, query: PredictionQuery, options: QueryOptions): Promise<Int32Array> => {
  const { offset, limit } = query
  const known = knownOrder(catalog, query)
  if (known !== undefined) return known.subarray(offset, offset + limit)
  if (offset + limit <= DIRECT_ROWS && searchWords(query.filter.q).length > 0) return searchRowids(catalog, query, options)
  if (offset + limit <= DIRECT_ROWS) return topRows(catalog, query, { skip: offset, take: limit, backwards: false }, options)
  const { total } = await summarizeFilter(catalog, query.filter, options)
  if (offset >= total) return new Int32Array(0)
  if (total - offset > DIRECT_ROWS) return (await orderIndex(catalog, query, total, options)).subarray(offset, offset + limit)
  const skip = Math.max(0, total - offset - limit)
  return topRows(catalog, query, { skip, take: Math.min(limit, total - offset), backwards: true }, options)
}

/** The rows and the summary from one scan, unless somebody has asked for the summary already. */
const searchRowids = async (catalog: CatalogReader, query: PredictionQuery, options: QueryOptions): Promise<Int32Array> => {
  const { offset, limit } = query
  let first: Int32Array | undefined
  await cacheOf(catalog).summaries.get(
    filterKey(query.filter),
    async (signal) => {
      const { rowids, summary } = await searchFirstRows(catalog, query, offset + limit, { signal })
      first = rowids
      return summary
    },
    options.signal,
  )
  return first?.subarray(offset) ?? topRows(catalog, query, { skip: offset, take: limit, backwards: false }, options)
}
