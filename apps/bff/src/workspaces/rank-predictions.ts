import { type Catalog, countFacets, type QueryOptions, topPredictions } from '@nirs-workspace/storage'
import { type FoldKind, metricDirection, metricKey, type PredictionFilter, type PredictionRow, type TopQuery } from '@nirs-workspace/types'

export interface Ranking {
  rows: PredictionRow[]
  /** Metrics that rows compete by, but of which it is unknown whether more or less is better. */
  unranked_metrics: string[]
}

/**
 * The best rows of every dataset and metric. A metric of unknown direction is left out and named, so that one row of it does not keep
 * the others from being ranked. Throws `metric_direction_unknown` when it is asked for by name, or when there is no other.
 */
export const rankPredictions = async (catalog: Catalog, query: TopQuery, options: QueryOptions = {}): Promise<Ranking> => {
  const metrics = query.metric === undefined && query.direction === undefined ? await competingMetrics(catalog, query, options) : []
  const unranked = metrics.filter((metric) => metricDirection(metric) === 'unknown')
  if (unranked.length === 0 || unranked.length === metrics.length) {
    return { rows: await topPredictions(catalog, query, options), unranked_metrics: [] }
  }
  // A metric is asked for once, whichever of its names the rows have.
  const known = new Set(metrics.filter((metric) => !unranked.includes(metric)).map(metricKey))
  const lists = await Promise.all([...known].map((metric) => topPredictions(catalog, { ...query, metric }, options)))
  return { rows: lists.flat().sort(byGroup), unranked_metrics: unranked }
}

/** The metrics of the rows that `topPredictions` lets compete. */
const competingMetrics = async (catalog: Catalog, query: TopQuery, options: QueryOptions): Promise<string[]> => {
  const { facets } = await countFacets(catalog, competitors(query), { ...options, columns: ['metric'], limit: 10_000 })
  return (facets.metric?.values ?? []).map(({ value }) => value ?? '').sort()
}

const competitors = ({ dataset_name, fold_kind }: TopQuery): PredictionFilter => {
  const finite = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE }
  const isRefit = fold_kind === 'refit'
  const kinds: FoldKind[] = fold_kind === undefined ? ['fold', 'average', 'single'] : [fold_kind]
  return {
    equals: {
      partition: [isRefit ? 'test' : 'val'],
      fold_kind: kinds,
      aggregated: ['false'],
      ...(isRefit ? {} : { refit_context: [''] }),
      ...(dataset_name === undefined ? {} : { dataset_name: [dataset_name] }),
    },
    ranges: { [isRefit ? 'test_score' : 'val_score']: finite },
    q: '',
  }
}

/** By dataset and metric, in whichever spelling, as the catalog orders texts, by their bytes; rows of one group stay as they are ranked. */
const byGroup = (a: PredictionRow, b: PredictionRow): number =>
  byBytes(a.dataset_name, b.dataset_name) || byBytes(metricKey(a.metric), metricKey(b.metric))

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
