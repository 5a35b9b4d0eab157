import { type FacetColumn, facetColumns, type PredictionFilter, type RangeColumn, rangeColumns } from '@nirs-workspace/types'
import { searched } from '../catalog/prediction-columns.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { ChunkParameter } from '../engine/stream-chunks.ts'
import { StorageError } from '../errors.ts'
import type { SqlPart } from './catalog-reader.ts'
import { timestampBound } from './timestamp-bound.ts'

interface ClauseOptions {
  /** Leaves out the filter on this column: a facet counts what its own choice would hide. */
  without?: FacetColumn | undefined
}

/** `WHERE …` for a filter, or '' when everything passes. Throws `validation` for a range that is no number or no time. */
export const whereClause = (filter: PredictionFilter, { without }: ClauseOptions = {}): SqlPart => {
  const binder = new Binder()
  const conditions = [
    ...facetColumns.filter((column) => column !== without).map((column) => equalsCondition(binder, column, filter.equals[column])),
    ...rangeColumns.map((column) => rangeCondition(binder, column, filter.ranges[column])),
    ...searchWords(filter.q).map((word) => searchCondition(binder, word)),
  ].filter((condition) => condition !== null)
  return { sql: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, parameters: binder.parameters }
}

/**
 * The words of a search text, each once; a name and its value, joined by = or : on one line, are one. What makes words alike is left to
 * DuckDB, which made the search text of the catalog.
 */
export const searchWords = (q: string): string[] => [...new Set(Array.from(q.matchAll(joinedWords), ([word]) => word.replace(/\s+/g, ' ')))]

const joinedWords = /[^\s=:]+(?:[^\S\n]*[=:]+[^\S\n]*[^\s=:]+)+[=:]*|\S+/g

/** How a name and its value stand next to each other in a text and in the JSON of parameters. */
const joints = ['=', ': ', '": ', '": "', '":', '":"']

/** The words as they were written, or the same name and value joined in another way. */
const searchCondition = (binder: Binder, word: string): string => {
  const holds = (text: string) => `contains(search_text, ${searched(binder.bind(text))})`
  const written = word.split(' ').map(holds).join(' AND ')
  if (!/[^\s=:]\s*[=:]\s*[^\s=:]/.test(word)) return written
  return `(${[written, ...joints.map((joint) => holds(word.replaceAll(/"?\s*[=:]\s*"?/g, joint)))].join(' OR ')})`
}

class Binder {
  readonly parameters: Record<string, ChunkParameter> = {}
  #count = 0

  bind(value: ChunkParameter): string {
    this.#count += 1
    const name = `f${this.#count}`
    this.parameters[name] = value
    return `$${name}`
  }
}

const booleanColumns: ReadonlySet<FacetColumn> = new Set(['aggregated', 'has_arrays'])

const equalsCondition = (binder: Binder, column: FacetColumn, values: readonly string[] | undefined): string | null => {
  if (values === undefined || values.length === 0) return null
  if (booleanColumns.has(column)) return booleanCondition(column, values)
  const name = quotedIdentifier(column)
  const given = [...new Set(values)].filter((value) => value !== '')
  const parts = given.length === 0 ? [] : [`${name} IN (${given.map((value) => binder.bind(value)).join(', ')})`]
  if (values.includes('')) parts.push(`${name} IS NULL`, `${name} = ''`)
  return `(${parts.join(' OR ')})`
}

/** Other words than true and false match nothing, as with any value that no row has. */
const booleanCondition = (column: FacetColumn, values: readonly string[]): string => {
  const wanted = ['true', 'false'].filter((word) => values.includes(word))
  return wanted.length === 0 ? 'false' : `${quotedIdentifier(column)} IN (${wanted.join(', ')})`
}

type Bound = string | number | undefined

/** The same text for filters that let the same rows through. */
export const filterKey = (filter: PredictionFilter): string =>
  JSON.stringify([
    facetColumns.map((column) => [...new Set(filter.equals[column] ?? [])].sort()),
    rangeColumns.map((column) => [boundKey(filter.ranges[column]?.min), boundKey(filter.ranges[column]?.max)]),
    searchWords(filter.q).sort(),
  ])

// JSON has no infinities: as null, an infinite end would be none at all.
const boundKey = (bound: Bound): string[] => [typeof bound, String(bound)]

/**
 * Both bounds are inclusive. A range asks for finite values: NaN would otherwise count as larger than every number. Numbers are bound as
 * text: the engine would take a whole number for a BIGINT, which 1e300 is not.
 */
const rangeCondition = (binder: Binder, column: RangeColumn, range: { min?: Bound; max?: Bound } | undefined): string | null => {
  if (range === undefined || (range.min === undefined && range.max === undefined)) return null
  const name = quotedIdentifier(column)
  if (column === 'created_at') return timeCondition(binder, name, range)
  const parts = column.endsWith('_score') ? [`isfinite(${name})`] : []
  if (range.min !== undefined) parts.push(`${name} >= ${binder.bind(String(numericBound(column, range.min)))}::DOUBLE`)
  if (range.max !== undefined) parts.push(`${name} <= ${binder.bind(String(numericBound(column, range.max)))}::DOUBLE`)
  return parts.join(' AND ')
}

const timeCondition = (binder: Binder, name: string, { min, max }: { min?: Bound; max?: Bound }): string => {
  const parts: string[] = []
  const stored = (time: string, offset: number) => `catalog.stored_time(${binder.bind(time)}::TIMESTAMP, ${offset}, ${name})`
  for (const line of linesOf(min)) {
    const { from, offset } = timestampBound('created_at', line)
    parts.push(`${name} >= ${stored(from, offset)}`)
  }
  for (const line of linesOf(max)) {
    const { until, offset } = timestampBound('created_at', line)
    parts.push(`${name} < ${stored(until, offset)}`)
  }
  return parts.join(' AND ')
}

/** Of filters that were put together each bound has its line. */
const linesOf = (bound: Bound): string[] => (bound === undefined ? [] : String(bound).trim().split('\n'))

const numericBound = (column: RangeColumn, bound: string | number): number => {
  const value = typeof bound === 'number' ? bound : bound.trim() === '' ? Number.NaN : Number(bound)
  if (Number.isNaN(value)) {
    throw new StorageError('validation', `"${bound}" is not a number, but ${column} is filtered by numbers.`, {
      hint: 'Give a number such as 0.25.',
    })
  }
  return value
}
