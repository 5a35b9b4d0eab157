import { facetColumns, type PredictionFilter, rangeColumns } from '@nirs-workspace/types'

/** The filter that lets through what both let through. A column without a common value matches nothing: the filter says so itself. */
export const narrowFilter = (a: PredictionFilter, b: PredictionFilter): PredictionFilter => ({
  equals: Object.fromEntries(
    facetColumns.flatMap((column) => {
      const [first, second] = [a.equals[column], b.equals[column]]
      if (first === undefined || second === undefined) return first === second ? [] : [[column, first ?? second]]
      const common = first.filter((value) => second.includes(value))
      return [[column, common.length > 0 ? common : [noValue]]]
    }),
  ),
  ranges: Object.fromEntries(
    rangeColumns.flatMap((column) => {
      const [first, second] = [a.ranges[column], b.ranges[column]]
      if (first === undefined && second === undefined) return []
      return [[column, { ...extreme('min', first?.min, second?.min), ...extreme('max', first?.max, second?.max) }]]
    }),
  ),
  q: `${a.q} ${b.q}`.trim(),
})

/** No name holds a NUL: a store cannot keep one. */
const noValue = '\u0000'

type Bound = string | number | undefined

/** The tighter of two bounds; numbers by value, times by their text (ISO 8601 sorts as time does). */
const extreme = (side: 'min' | 'max', a: Bound, b: Bound): Record<string, string | number> => {
  if (a === undefined || b === undefined) {
    const only = a ?? b
    return only === undefined ? {} : { [side]: only }
  }
  const [x, y] = [Number(a), Number(b)]
  const isFirstLower = Number.isNaN(x) || Number.isNaN(y) ? String(a) < String(b) : x < y
  return { [side]: isFirstLower === (side === 'max') ? a : b }
}
