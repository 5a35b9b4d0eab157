import { type FacetColumn, type Facets, facetColumns, type PredictionFilter } from '@nirs-workspace/types'
import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeCount, optionsOf, queryShape } from '../options/option-schemas.ts'
import { cacheOf } from './catalog-cache.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { filterKey, whereClause } from './filter-clause.ts'
import { GivenFilter } from './given-filter.ts'
import { readNumber, readTextOrNull } from './value-reader.ts'

export interface FacetOptions extends QueryOptions {
  /** Default: all facet columns. */
  columns?: readonly FacetColumn[] | undefined
  /** Values per facet, the most frequent first; `distinct` says how many there are. Default 200. */
  limit?: number | undefined
}

const Options = optionsOf<FacetOptions>({ ...queryShape, columns: z.array(z.enum(facetColumns)).optional(), limit: maybeCount })

type Facet = NonNullable<Facets['facets'][FacetColumn]>

/** Counts per value of each facet column under all filters but its own. '' and null are one value, null. Remembered per filter. */
export const countFacets = async (catalog: CatalogReader, filter: PredictionFilter, options: FacetOptions = {}): Promise<Facets> => {
  checkGiven(GivenFilter, filter, 'the filter')
  checkGiven(Options, options)
  const { limit = 200, signal } = options
  const columns = facetColumns.filter((column) => options.columns?.includes(column) ?? true)
  const key = JSON.stringify([filterKey(filter), columns, limit])
  return cacheOf(catalog).facets.get(key, (shared) => computeFacets(catalog, filter, columns, limit, shared), signal)
}

const computeFacets = async (
  catalog: CatalogReader,
  filter: PredictionFilter,
  columns: readonly FacetColumn[],
  limit: number,
  signal: AbortSignal,
): Promise<Facets> => {
  const chosen = columns.filter((column) => (filter.equals[column]?.length ?? 0) > 0)
  const others = columns.filter((column) => !chosen.includes(column))
  const count = (group: readonly FacetColumn[], without?: FacetColumn) => countGroup(catalog, filter, { group, without, limit, signal })
  const [under, ...apart] = await Promise.all([count(others), ...chosen.map((column) => count([column], column))])
  const facets = new Map([under, ...apart].flatMap((counted) => [...counted.facets]))
  return {
    total: under.total,
    facets: Object.fromEntries(columns.map((column) => [column, facets.get(column) ?? { values: [], distinct: 0 }])),
  }
}

interface Group {
  readonly group: readonly FacetColumn[]
  readonly without: FacetColumn | undefined
  readonly limit: number
  readonly signal: AbortSignal
}

/** One scan that counts all rows and the values of several columns, each on its own. */
const countGroup = async (
  catalog: CatalogReader,
  filter: PredictionFilter,
  { group, without, limit, signal }: Group,
): Promise<{ total: number; facets: Map<FacetColumn, Facet> }> => {
  const where = whereClause(filter, { without })
  const facets = new Map<FacetColumn, Facet>()
  let total = 0
  const counts = await readRows(
    catalog,
    { sql: groupSql(group, where.sql, limit), parameters: where.parameters },
    (value) => ({
      column: group[readNumber(value(0))],
      value: readTextOrNull(value(1)),
      count: readNumber(value(2)),
      distinct: readNumber(value(3)),
    }),
    { signal },
  )
  for (const { column, value, count, distinct } of counts) {
    if (column === undefined) {
      total = count
      continue
    }
    const facet = facets.get(column) ?? { values: [], distinct }
    facet.values.push({ value, count })
    facets.set(column, facet)
  }
  return { total, facets }
}

/** The grouping set of all rows; its facet is -1. */
const TOTAL = '()'

const groupSql = (group: readonly FacetColumn[], where: string, limit: number): string => {
  const names = group.map(quotedIdentifier)
  const sets = [...names.map((name) => `(${name})`), TOTAL].join(', ')
  const facet = names.reduceRight((rest, name, index) => `if(grouping(${name}) = 0, ${index}, ${rest})`, '-1')
  const value = `coalesce(${[...names.map((name) => `nullif(${name}::VARCHAR, '')`), 'NULL::VARCHAR'].join(', ')})`
  return `WITH counted AS (SELECT ${facet} AS facet, ${value} AS value, count(*) AS n FROM ${PREDICTIONS} ${where} GROUP BY GROUPING SETS (${sets})),
    merged AS (SELECT facet, value, sum(n)::BIGINT AS n FROM counted GROUP BY facet, value)
    SELECT facet, value, n, count(*) OVER (PARTITION BY facet) FROM merged
    QUALIFY row_number() OVER (PARTITION BY facet ORDER BY n DESC, value NULLS LAST) <= ${limit}
    ORDER BY facet, n DESC, value NULLS LAST`
}
