import type { PredictionFilter } from '@nirs-workspace/types'
import { equalityColumns, rangedColumns } from './columns.ts'
import { hasFilters, type PredictionSearch } from './search.ts'
import { zonedTime } from './zoned-time.ts'

/** The table's filters in the form that an export takes; undefined when nothing is filtered. */
export const exportFilters = (search: PredictionSearch): Partial<PredictionFilter> | undefined => {
  if (!hasFilters(search)) return undefined
  const equals = equalityColumns.flatMap((column) => (search[column] === undefined ? [] : [[column, search[column]] as const]))
  const ranges = rangedColumns.flatMap((column) => {
    const min = search[`${column}_min`]
    const max = search[`${column}_max`]
    if (min === undefined && max === undefined) return []
    return [
      [
        column,
        { ...(min === undefined ? {} : { min: bound(min, 'min') }), ...(max === undefined ? {} : { max: bound(max, 'max') }) },
      ] as const,
    ]
  })
  return { equals: Object.fromEntries(equals), ranges: Object.fromEntries(ranges), q: search.q ?? '' }
}

/** Dates stay text. */
const bound = (text: string, end: 'min' | 'max'): number | string => (Number.isFinite(Number(text)) ? Number(text) : zonedTime(text, end))
