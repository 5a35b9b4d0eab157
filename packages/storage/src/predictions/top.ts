import { isSameMetric, metricDirection, type PredictionFilter, type PredictionRow, TopQuery } from '@nirs-workspace/types'
import * as z from 'zod'
import { leadersPerGroup } from '../catalog/fill-leaders.ts'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, type SqlPart } from './catalog-reader.ts'
import { searchWords, whereClause } from './filter-clause.ts'
import { leadersOrAll } from './find-leaders.ts'
import { bestRows, type Contest, cvContest, type KnownDirection, metricsUnder, type RankedTable, refitContest } from './ranking.ts'

export interface TopOptions extends QueryOptions {
  /** Only rows under this filter compete. */
  readonly filter?: PredictionFilter | undefined
}

/** What can be asked of a program; the server answers with fewer rows. A misspelt field must not widen what competes. */
export const TopRequest = TopQuery.extend({ n: z.number().int().min(1).default(10) }).strict()

/**
 * The n best rows of every dataset and metric (metrics are never ranked together, spellings of one are): finite validation scores of folds, averages and
 * single fits, never refits nor `_agg` twins; ties by prediction_id. With `fold_kind: 'refit'`, refits by their test score instead: they
 * have no validation score of their own. Throws `metric_direction_unknown` unless the direction is given.
 */
export const topPredictions = async (catalog: CatalogReader, query: TopQuery, options: TopOptions = {}): Promise<PredictionRow[]> => {
  checkGiven(TopRequest, query, 'the query')
  const contest = contestOf(query)
  const narrowing = narrowed(datasetCondition(query), options.filter)
  const under = { sql: `${contest.condition} AND ${narrowing.sql}`, parameters: narrowing.parameters }
  const table = await tableFor(catalog, query.n, options)
  const metrics = await metricsUnder(catalog, under, options, table)
  const wanted = metrics.filter((name) => query.metric === undefined || isSameMetric(name, query.metric))
  const directions = new Map(wanted.map((name) => [name, directionOf(name, query)]))
  return bestRows(catalog, { contest, directions, within: ['dataset_name'], n: query.n, narrowing, table }, options)
}

/** Few of whole groups are found among the leaders of each. */
const tableFor = async (catalog: CatalogReader, n: number, options: TopOptions): Promise<RankedTable> =>
  n > leadersPerGroup || !isOfGroups(options.filter) ? PREDICTIONS : leadersOrAll(catalog, options)

const groupColumns: readonly string[] = ['dataset_name', 'fold_kind', 'metric']

/** Whether the filter takes all rows of a group, or none. */
const isOfGroups = (filter: PredictionFilter | undefined): boolean => {
  if (filter === undefined) return true
  const { equals, ranges, q } = filter
  return Object.keys(equals).every((name) => groupColumns.includes(name)) && Object.keys(ranges).length === 0 && searchWords(q).length === 0
}

const contestOf = ({ fold_kind }: TopQuery): Contest => {
  if (fold_kind === 'refit') return refitContest
  return fold_kind === undefined ? cvContest() : cvContest([fold_kind])
}

const datasetCondition = ({ dataset_name }: TopQuery): SqlPart =>
  dataset_name === undefined ? { sql: 'true', parameters: {} } : { sql: 'dataset_name = $dataset', parameters: { dataset: dataset_name } }

const narrowed = (part: SqlPart, filter: PredictionFilter | undefined): SqlPart => {
  const where = filter === undefined ? { sql: '', parameters: {} } : whereClause(filter)
  if (where.sql === '') return part
  return { sql: `${part.sql} AND (${where.sql.replace(/^WHERE /, '')})`, parameters: { ...part.parameters, ...where.parameters } }
}

/** A direction that the caller gives counts for the metric that the caller names, and for metrics that nobody knows. */
const directionOf = (name: string, { metric, direction }: TopQuery): KnownDirection => {
  const known = metricDirection(name)
  if (direction !== undefined && (known === 'unknown' || metric !== undefined)) return direction
  if (known !== 'unknown') return known
  throw new StorageError('metric_direction_unknown', `It is unknown whether more or less of "${name}" is better, so it was not ranked.`, {
    hint: 'Say which: higher, lower or zero (nearest zero); or choose another metric.',
  })
}
