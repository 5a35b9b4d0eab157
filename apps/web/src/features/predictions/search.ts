import type { FacetColumn, PredictionColumn, RangeColumn, SortKey } from '@nirs-workspace/types'
import { isBound, isChoice } from '@nirs-workspace/types/filter-value'
import type { QueryParams } from '../../api/client.ts'
import { asList, asText, longestSearch, withoutUndefined } from '../../lib/url-search.ts'
import { equalityColumns, isFacet, isPredictionColumn, rangedColumns } from './columns.ts'
import { zonedTime } from './zoned-time.ts'

type Equality = Partial<Record<FacetColumn, string[]>>
type Bound = `${RangeColumn}_${'min' | 'max'}`
type Bounds = Partial<Record<Bound, string>>

/** The address of the page, cleaned: what it filters, how it sorts, what it shows. Defaults are left out. */
export interface PredictionSearch extends Equality, Bounds {
  q?: string
  /** `column:asc`, the first key first. */
  sort?: string[]
  /** Names of the shown columns with commas between. */
  cols?: string
  /** Names of the columns that stay at the left, in their order, with commas between. */
  pin?: string
  /** Columns that hold the same value in all rows are left out. */
  differ?: 'only'
  /** `column.width` with commas between, only for changed widths. */
  widths?: string
  /** Id of the prediction in the side panel, and its tab. */
  peek?: string
  tab?: PeekTab
  /** Row number (from 1) where the cursor stands, so that a link opens at the same place. */
  at?: number
  /** What an address asked for that this page does not know, as `name=value`; stays in the address until it has been read. */
  ignored?: string[]
}

export const peekTabs = ['chart', 'residuals', 'folds', 'parameters', 'samples'] as const
export type PeekTab = (typeof peekTabs)[number]

export const bounds: readonly Bound[] = rangedColumns.flatMap((column) => [`${column}_min`, `${column}_max`] as const)

/** Keeps what it understands of an address and puts filters and sort keys that it does not under `ignored`; never throws. */
export const validateSearch = (raw: Record<string, unknown>): PredictionSearch => {
  const search = cleanSearch(raw)
  const ignored = [...new Set([...(search.ignored ?? []), ...notUnderstood(raw)])].slice(0, mostIgnored)
  return ignored.length === 0 ? search : { ...search, ignored }
}

const mostIgnored = 10
const longestIgnored = 200

/** Names that ask for no rows: the frame's, and how the page looks. */
const otherNames: ReadonlySet<string> = new Set<keyof PredictionSearch | 'workspace'>([
  'q',
  'cols',
  'pin',
  'differ',
  'widths',
  'peek',
  'tab',
  'at',
  'ignored',
  'workspace',
])

const notUnderstood = (raw: Record<string, unknown>): string[] =>
  Object.entries(raw).flatMap(([name, value]) => {
    const texts = (asList(value) ?? []).filter((text) => text.trim() !== '')
    const sort = name === 'sort' ? cleanSort(texts) : undefined
    return texts
      .filter((text) => !isUnderstood(name, text) && sort?.includes(text) !== true)
      .map((text) => `${name}=${text}`.slice(0, longestIgnored).toWellFormed())
  })

const isUnderstood = (name: string, text: string): boolean => {
  const range = rangedColumns.find((column) => name === `${column}_min` || name === `${column}_max`)
  if (range !== undefined) return cleanBound(range, text) !== undefined
  return isFacet(name) ? isChoice(name, text) : otherNames.has(name)
}

const cleanSearch = (raw: Record<string, unknown>): PredictionSearch => {
  const search: PredictionSearch = {}
  for (const column of equalityColumns) assign(search, column, cleanChoices(column, asList(raw[column])))
  for (const column of rangedColumns) {
    for (const bound of [`${column}_min`, `${column}_max`] as const) assign(search, bound, cleanBound(column, asText(raw[bound])))
  }
  const at = Number(asText(raw.at) ?? raw.at)
  return {
    ...search,
    ...withoutUndefined({
      q: nonEmpty(asText(raw.q)?.slice(0, longestSearch)),
      sort: cleanSort(asList(raw.sort)),
      cols: nonEmpty(asText(raw.cols)),
      pin: nonEmpty(asText(raw.pin)),
      differ: asText(raw.differ) === 'only' ? 'only' : undefined,
      widths: nonEmpty(asText(raw.widths)),
      peek: nonEmpty(asText(raw.peek)),
      tab: peekTabs.find((tab) => tab === asText(raw.tab)),
      at: Number.isInteger(at) && at > 0 ? at : undefined,
      ignored: withoutEmpty(asList(raw.ignored)),
    }),
  }
}

const assign = <K extends keyof PredictionSearch>(search: PredictionSearch, key: K, value: PredictionSearch[K] | undefined): void => {
  if (value !== undefined) search[key] = value
}

const nonEmpty = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text)

const withoutEmpty = (texts: string[] | undefined): string[] | undefined => {
  const full = (texts ?? []).filter((text) => text !== '')
  return full.length === 0 ? undefined : full
}

const cleanBound = (column: RangeColumn, text: string | undefined): string | undefined => {
  const bound = text?.trim() ?? ''
  return isBound(column, bound) ? bound : undefined
}

const cleanChoices = (column: FacetColumn, values: string[] | undefined): string[] | undefined => {
  const known = (values ?? []).filter((value) => isChoice(column, value))
  return known.length === 0 ? undefined : known
}

const mostSortKeys = 5

const cleanSort = (keys: string[] | undefined): string[] | undefined =>
  withoutEmpty((keys ?? []).filter((key) => parseSortKey(key) !== undefined).slice(0, mostSortKeys))

const parseSortKey = (text: string): SortKey | undefined => {
  const [column = '', direction = 'asc', ...rest] = text.split(':')
  const isKnown = isPredictionColumn(column) && rest.length === 0
  return isKnown && (direction === 'asc' || direction === 'desc') ? { column, direction } : undefined
}

export const sortOf = (search: PredictionSearch): readonly SortKey[] =>
  (search.sort ?? []).map(parseSortKey).filter((key) => key !== undefined)

/** Header click: ascending, descending, off; `add` keeps the other keys (shift). */
export const toggleSort = (search: PredictionSearch, column: PredictionColumn, add: boolean): PredictionSearch => {
  const keys = sortOf(search)
  const before = keys.find((key) => key.column === column)
  const next = before === undefined ? 'asc' : before.direction === 'asc' ? 'desc' : undefined
  const others = keys.filter((key) => key.column !== column)
  const changed = next === undefined ? [] : [{ column, direction: next } as const]
  const sort = add ? keys.flatMap((key) => (key.column === column ? changed : [key])) : changed
  const all = add && before === undefined ? [...others, ...changed] : sort
  return withSort(search, all)
}

/** Another order has other rows at a place, as another filter has. */
export const withSort = ({ sort: _, at: __, ...rest }: PredictionSearch, keys: readonly SortKey[]): PredictionSearch =>
  keys.length === 0 ? rest : { ...rest, sort: keys.slice(0, mostSortKeys).map((key) => `${key.column}:${key.direction}`) }

/** The filters alone, as the server takes them. */
export const filterParams = (search: PredictionSearch): QueryParams => {
  const names: readonly (keyof PredictionSearch)[] = [...equalityColumns, ...bounds, 'q']
  const params = Object.fromEntries(names.filter((name) => search[name] !== undefined).map((name) => [name, search[name]]))
  for (const end of ['min', 'max'] as const) {
    const time = search[`created_at_${end}`]
    if (time !== undefined) params[`created_at_${end}`] = zonedTime(time, end)
  }
  return params
}

/**
 * What a distribution counts: the filters in force without the column's own range, so that bars outside of it stay to be chosen; of
 * mixed metrics one, in all its spellings; no refits among validation scores, where nirs4all wrote 0 for them. Undefined when only refits are asked for.
 */
export const distributionParams = (search: PredictionSearch, column: RangeColumn, metric: readonly string[]): QueryParams | undefined => {
  const all = withRange(search, column, '', '')
  const filters = filterParams(metric.length === 0 ? all : withFacet(all, 'metric', metric))
  if (column !== 'val_score') return filters
  const kinds = countedKinds(search)
  return kinds.length === 0 ? undefined : { ...filters, fold_kind: kinds }
}

const scoredKinds = ['fold', 'average', 'single', 'other']
const countedKinds = (search: PredictionSearch): string[] => (search.fold_kind ?? scoredKinds).filter((kind) => kind !== 'refit')

export const pageParams = (search: PredictionSearch): QueryParams => ({
  ...filterParams(search),
  ...(search.sort === undefined ? {} : { sort: search.sort }),
})

export const hasFilters = (search: PredictionSearch): boolean => Object.keys(filterParams(search)).length > 0

export const withoutFilters = ({ sort, cols, pin, differ, widths, peek, tab }: PredictionSearch): PredictionSearch =>
  withoutUndefined({ sort, cols, pin, differ, widths, peek, tab })

/** A changed filter shows other rows, so the place in the table starts over. */
export const withFacet = (search: PredictionSearch, column: FacetColumn, values: readonly string[]): PredictionSearch => {
  const { [column]: _, at: __, ...rest } = search
  return values.length === 0 ? rest : { ...rest, [column]: [...values] }
}

export const withRange = (search: PredictionSearch, column: RangeColumn, min: string, max: string): PredictionSearch => {
  const { [`${column}_min` as const]: _, [`${column}_max` as const]: __, at: ___, ...rest } = search
  return cleanSearch({ ...rest, [`${column}_min`]: min, [`${column}_max`]: max })
}

/** Without a range, and without the kinds of folds that it brought. */
export const withoutRange = (search: PredictionSearch, column: RangeColumn): PredictionSearch => {
  const { fold_kind: kinds = [] } = search
  const hasBrought = kinds.length === scoredKinds.length && scoredKinds.every((kind) => kinds.includes(kind))
  return withRange(column === 'val_score' && hasBrought ? withFacet(search, 'fold_kind', []) : search, column, '', '')
}

/** A range as it is chosen in a distribution: of what that counts. */
export const withCountedRange = (search: PredictionSearch, column: RangeColumn, min: string, max: string): PredictionSearch => {
  if (min === '' && max === '') return withoutRange(search, column)
  const kinds = column === 'val_score' ? countedKinds(search) : []
  return withRange(kinds.length === 0 ? search : withFacet(search, 'fold_kind', kinds), column, min, max)
}
