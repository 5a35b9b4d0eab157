import {
  type FacetColumn,
  facetColumns,
  PredictionColumnName,
  PredictionFilter,
  type PredictionQuery,
  rangeColumns,
  type SortKey,
} from '@nirs-workspace/types'
import * as z from 'zod'
import { RequestError } from '../server/problem.ts'
import { queryInteger } from '../server/request-query.ts'
import { boundOf, choiceOf } from './filter-values.ts'
import { workspaceQuery } from './workspace-query.ts'

const equals = Object.fromEntries(facetColumns.map((column) => [column, z.array(choiceOf(column)).optional()]))
const ranges = Object.fromEntries(
  rangeColumns.flatMap((column) => [`${column}_min`, `${column}_max`].map((name) => [name, boundOf(column).optional()])),
)

/** The filters that every list of predictions takes: columns by name (repeatable), `_min` and `_max`, and words to search for. */
export const filterShape: Record<string, z.ZodType> = { ...equals, ...ranges, q: z.string().max(500).optional() }

const directions = ['asc', 'desc']
const sort = z.string().refine((text) => parseSort(text) !== undefined, 'must be column:asc or column:desc')

export const predictionQueryShape = z.strictObject({
  ...workspaceQuery,
  ...filterShape,
  sort: z.array(sort).max(5).default([]),
  limit: queryInteger(1, 1000).default(100),
  offset: queryInteger(0, Number.MAX_SAFE_INTEGER).default(0),
})

export const filterQueryShape = z.strictObject({ ...workspaceQuery, ...filterShape })

/** Filters as the storage package takes them, from parameters that have passed `filterShape`. */
export const toFilter = (query: Readonly<Record<string, unknown>>): PredictionFilter => {
  const named = facetColumns.filter((column) => query[column] !== undefined)
  const bounded = rangeColumns.filter((column) => query[`${column}_min`] !== undefined || query[`${column}_max`] !== undefined)
  const result = PredictionFilter.safeParse({
    equals: Object.fromEntries(named.map((column: FacetColumn) => [column, query[column]])),
    ranges: Object.fromEntries(bounded.map((column) => [column, { min: query[`${column}_min`], max: query[`${column}_max`] }])),
    q: query.q,
  })
  if (!result.success) throw new RequestError('validation', 'The filters are not valid.')
  return result.data
}

export const toPredictionQuery = (query: z.output<typeof predictionQueryShape>): PredictionQuery => ({
  filter: toFilter(query),
  sort: query.sort.flatMap((text) => parseSort(text) ?? []),
  limit: query.limit,
  offset: query.offset,
})

const parseSort = (text: string): SortKey | undefined => {
  const [column, direction = 'asc', ...rest] = text.split(':')
  const known = PredictionColumnName.safeParse(column)
  if (!known.success || rest.length > 0 || !directions.includes(direction)) return undefined
  return { column: known.data, direction: direction === 'desc' ? 'desc' : 'asc' }
}
