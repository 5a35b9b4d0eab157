import type { Facets, OverviewResponse } from '@nirs-workspace/types'
import type { CatalogReader } from './catalog-reader.ts'
import { ResultCache } from './result-cache.ts'

export interface FilterSummary {
  readonly total: number
  /** Sorted by name. */
  readonly metrics: readonly string[]
}

/** What is remembered of one open catalog, whose content never changes; it goes when the catalog goes. */
export interface CatalogCache {
  readonly summaries: ResultCache<FilterSummary>
  /** Row ids in the order of a (filter, sort). */
  readonly orders: ResultCache<Int32Array>
  readonly facets: ResultCache<Facets>
  /** One. */
  readonly overview: ResultCache<OverviewResponse>
}

/** Sixteen orders of a million rows, four bytes each. */
const ORDER_BYTES = 64 * 1024 * 1024
const SUMMARIES = 512
/** Facet values over all remembered answers: some tens of megabytes. */
const FACET_VALUES = 200_000

const caches = new WeakMap<CatalogReader['engine'], CatalogCache>()

export const cacheOf = ({ engine }: CatalogReader): CatalogCache => {
  const known = caches.get(engine)
  if (known !== undefined) return known
  const cache: CatalogCache = {
    summaries: new ResultCache(SUMMARIES, () => 1),
    overview: new ResultCache(1, () => 1),
    orders: new ResultCache(ORDER_BYTES, (order) => order.byteLength),
    facets: new ResultCache(FACET_VALUES, ({ facets }) =>
      Object.values(facets).reduce((sum, facet) => sum + (facet?.values.length ?? 0), 1),
    ),
  }
  caches.set(engine, cache)
  return cache
}
