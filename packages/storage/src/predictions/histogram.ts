import { type Histogram, type PredictionFilter, type RangeColumn, rangeColumns } from '@nirs-workspace/types'
import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { checkGiven } from '../options/check-options.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { whereClause } from './filter-clause.ts'
import { summarizeFilter } from './filter-summary.ts'
import { GivenFilter } from './given-filter.ts'
import { readNumber, readNumberOrNull, readTimestamp } from './value-reader.ts'

const MAX_BINS = 100
/** Quartiles decide nothing but the width of the bins: about this many rows, chosen by a hash of their place, are enough. */
const QUARTILE_ROWS = 20_000

/**
 * Finite values of a column under the filter in bins of equal width (Freedman and Diaconis: 2·IQR/∛n, at most 100 of them), lower edge
 * included, the last one with its upper edge. A test score of 0 outside the partition test may stand for none and is counted apart. Times are
 * in milliseconds since 1970, their clocks read as if they were UTC's; the first and the last one come as rows have them, too.
 */
export const makeHistogram = async (
  catalog: CatalogReader,
  filter: PredictionFilter,
  column: RangeColumn,
  options: QueryOptions = {},
): Promise<Histogram> => {
  checkGiven(GivenFilter, filter, 'the filter')
  checkGiven(z.enum(rangeColumns), column, 'the column')
  const source = sourceOf(filter, column)
  const { total } = await summarizeFilter(catalog, filter, options)
  const figures = await summarize(catalog, source, total, options)
  const edges = binEdges(figures)
  const counts = edges.length === 0 ? [] : await countBins(catalog, source, edges, options)
  const bins = counts.map((count, index) => ({ min: edges[index] ?? 0, max: edges[index + 1] ?? 0, count }))
  const { nulls, non_finite, placeholders, first, last } = figures
  return { column, bins, nulls, non_finite, placeholders, times: first === null || last === null ? null : { first, last } }
}

interface Figures {
  readonly finite: number
  readonly nulls: number
  readonly non_finite: number
  readonly placeholders: number
  readonly min: number
  readonly max: number
  readonly iqr: number
  /** Of times only, as `written_time` has them. */
  readonly first: string | null
  readonly last: string | null
}

const sourceOf = (filter: PredictionFilter, column: RangeColumn) => {
  const where = whereClause(filter)
  const name = quotedIdentifier(column)
  const value = column === 'created_at' ? `epoch_us(${name}) / 1000.0` : `${name}::DOUBLE`
  const isPlaceholder = column === 'test_score' ? `coalesce(test_score = 0, false) AND partition <> 'test'` : 'false'
  return {
    column,
    sql: `SELECT ${isPlaceholder} AS stands_for_none, if(stands_for_none, NULL, ${value}) AS v, created_at AS time, rowid AS place FROM ${PREDICTIONS} ${where.sql}`,
    parameters: where.parameters,
  }
}

type Source = ReturnType<typeof sourceOf>

const summarize = async (
  catalog: CatalogReader,
  { sql, parameters, column }: Source,
  total: number,
  options: QueryOptions,
): Promise<Figures> => {
  const step = Math.max(1, Math.floor(total / QUARTILE_ROWS))
  const written = (end: 'min' | 'max') =>
    column === 'created_at' ? `catalog.written_time(${end}(time) FILTER (isfinite(v)))` : 'NULL::VARCHAR'
  const query = `SELECT count(*) FILTER (isfinite(v)), count(*) FILTER (v IS NULL AND NOT stands_for_none), count(*) FILTER (NOT isfinite(v)),
      min(v) FILTER (isfinite(v)), max(v) FILTER (isfinite(v)),
      quantile_cont(v, 0.75) FILTER (sampled) - quantile_cont(v, 0.25) FILTER (sampled), count(*) FILTER (stands_for_none),
      ${written('min')}, ${written('max')}
    FROM (SELECT v, time, stands_for_none, isfinite(v) AND hash(place) % ${step} = 0 AS sampled FROM (${sql}))`
  const [figures] = await readRows(
    catalog,
    { sql: query, parameters },
    (value) => ({
      finite: readNumber(value(0)),
      nulls: readNumber(value(1)),
      non_finite: readNumber(value(2)),
      min: readNumberOrNull(value(3)) ?? 0,
      max: readNumberOrNull(value(4)) ?? 0,
      iqr: readNumberOrNull(value(5)) ?? 0,
      placeholders: readNumber(value(6)),
      first: readTimestamp(value(7)),
      last: readTimestamp(value(8)),
    }),
    options,
  )
  if (figures === undefined) throw new Error('An aggregate without a row')
  return figures
}

/** One more edge than bins; one bin of no width when all values are equal; none when there is no value. */
export const binEdges = ({ finite, min, max, iqr }: Pick<Figures, 'finite' | 'min' | 'max' | 'iqr'>): number[] => {
  if (finite === 0) return []
  // Halves first: the span of two doubles can be larger than the largest double.
  const halfSpan = max / 2 - min / 2
  if (halfSpan === 0) return [min, max]
  const width = (2 * iqr) / Math.cbrt(finite)
  const wished = width > 0 ? Math.ceil((halfSpan / width) * 2) : Math.ceil(Math.sqrt(finite))
  const bins = Math.max(1, Math.min(MAX_BINS, wished))
  const inner = Array.from({ length: bins - 1 }, (_, index) => min + ((index + 1) / bins) * halfSpan + ((index + 1) / bins) * halfSpan)
  return [...new Set([min, ...inner, max])].sort((a, b) => a - b)
}

const countBins = async (catalog: CatalogReader, { sql, parameters }: Source, edges: readonly number[], options: QueryOptions) => {
  const inner = edges.slice(1, -1)
  // How many inner edges lie at or below a value is the number of its bin; comparing with the edges themselves keeps bins and edges in step.
  const bin = inner.length === 0 ? '0' : `(${bisect(inner, 0)})`
  const query = `SELECT ${bin} AS bin, count(*) FROM (${sql}) WHERE isfinite(v) GROUP BY bin`
  const counts = new Map(
    await readRows(catalog, { sql: query, parameters }, (value) => [readNumber(value(0)), readNumber(value(1))] as const, options),
  )
  return Array.from({ length: edges.length - 1 }, (_, index) => counts.get(index) ?? 0)
}

/** A binary search over the edges, written as nested CASE expressions: seven comparisons per value instead of a hundred. */
const bisect = (edges: readonly number[], offset: number): string => {
  const middle = edges.length >> 1
  const edge = edges[middle]
  if (edge === undefined) return String(offset)
  const below = bisect(edges.slice(0, middle), offset)
  const above = bisect(edges.slice(middle + 1), offset + middle + 1)
  return `CASE WHEN v < ${literal(edge)} THEN ${below} ELSE ${above} END`
}

/** The shortest text that reads back as the same double. */
const literal = (value: number): string => `'${value}'::DOUBLE`
