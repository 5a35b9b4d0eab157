import { type FacetColumn, facetColumns, PredictionColumnName, PredictionFilter, rangeColumns, type SortKey } from '@nirs-workspace/types'
import { isNumber } from '@nirs-workspace/types/filter-value'
import { choiceOf } from '../routes/filter-values.ts'
import { UsageError } from './output.ts'

const isFacet = (column: string): column is FacetColumn => facets.includes(column)
const facets: readonly string[] = facetColumns
const ranges: readonly string[] = rangeColumns

/** Filters from `column=value` (repeatable: any of the values), `column_min=`, `column_max=` and `q=words`. */
export const parseFilters = (texts: readonly string[]): PredictionFilter => {
  const equals = new Map<string, string[]>()
  const bounds = new Map<string, { min?: string; max?: string }>()
  const words: string[] = []
  for (const text of texts) {
    const [column, value] = splitFilter(text)
    const range = /^(.+)_(min|max)$/.exec(column)
    const [, name = '', end] = range ?? []
    if (column === 'q') words.push(value)
    else if (isFacet(column)) equals.set(column, [...(equals.get(column) ?? []), checkedChoice(column, value)])
    else if (ranges.includes(name)) bounds.set(name, { ...bounds.get(name), [end === 'min' ? 'min' : 'max']: value })
    else
      throw new UsageError(
        `There is no column "${column}" to filter by. Columns: ${facetColumns.join(', ')}; with _min or _max: ${rangeColumns.join(', ')}; q.`,
      )
  }
  const parsed = PredictionFilter.safeParse({ equals: Object.fromEntries(equals), ranges: Object.fromEntries(bounds), q: words.join(' ') })
  if (!parsed.success) throw new UsageError('The filters are not valid.')
  return parsed.data
}

const checkedChoice = (column: FacetColumn, value: string): string => {
  if (choiceOf(column).safeParse(value).success) return value
  throw new UsageError(`${column} is true or false, not "${value}".`)
}

const splitFilter = (text: string): [column: string, value: string] => {
  const at = text.indexOf('=')
  if (at <= 0) throw new UsageError(`A filter is written column=value, not "${text}".`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Sort keys of predictions from `column`, `column:asc` or `column:desc`. */
export const parseSorts = (texts: readonly string[]): SortKey[] =>
  texts.map((text) => {
    const { column, direction } = splitSort(text)
    const known = PredictionColumnName.safeParse(column)
    if (!known.success)
      throw new UsageError(`There is no column "${column}" to sort by here. Columns: ${PredictionColumnName.options.join(', ')}.`)
    return { column: known.data, direction }
  })

export const splitSort = (text: string): { column: string; direction: 'asc' | 'desc' } => {
  const [column = '', direction = 'asc', ...more] = text.split(':')
  if (more.length > 0 || (direction !== 'asc' && direction !== 'desc'))
    throw new UsageError(`A sort is written column:asc or column:desc, not "${text}".`)
  return { column, direction }
}

/** A whole number within bounds from an option. */
export const parseCount = (text: string, name: string, min: number, max: number): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not "${text}".`)
  return value
}

/** A number within bounds from an option. */
export const parseNumber = (text: string, name: string, min: number, max: number): number => {
  const value = Number(text)
  if (!isNumber(text.trim()) || !(value >= min && value <= max))
    throw new UsageError(`${name} must be a number from ${min} to ${max}, not "${text}".`)
  return value
}
