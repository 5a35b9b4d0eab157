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
      const tighter = column === 'created_at' ? bothTimes : extreme
      return [[column, { ...tighter('min', first?.min, second?.min), ...tighter('max', first?.max, second?.max) }]]
    }),
  ),
  q: `${a.q}\n${b.q}`.trim(),
})

/** No name holds a NUL: a store cannot keep one. */
const noValue = '\u0000'

type Bound = string | number | undefined

/** Which of two times is tighter depends on the row, when they name different zones: each on its line, both hold. */
const bothTimes = (side: 'min' | 'max', a: Bound, b: Bound): Record<string, string | number> => {
  const times = new Set([a, b].filter((time) => time !== undefined))
  return times.size === 0 ? {} : { [side]: [...times].join('\n') }
}

/** The tighter of two numbers; what is none stays, for the query to refuse. */
const extreme = (side: 'min' | 'max', a: Bound, b: Bound): Record<string, string | number> => {
  if (a === undefined || b === undefined) {
    const only = a ?? b
    return only === undefined ? {} : { [side]: only }
  }
  const odd = [a, b].find((bound) => Number.isNaN(Number(bound)))
  if (odd !== undefined) return { [side]: odd }
  return { [side]: Number(a) < Number(b) === (side === 'max') ? a : b }
}
