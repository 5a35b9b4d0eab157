import type { FacetColumn, PredictionRow, RangeColumn } from './prediction.ts'

/**
 * How the values of filters are written, in addresses and in queries alike: what a page keeps, the server takes.
 * Free of zod so that the browser can import it.
 */

/** A number in digits; hexadecimal, blanks, NaN and infinities are none. */
export const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Whether a text is a number that a double can hold. */
export const isNumber = (text: string): boolean => numeral.test(text) && Number.isFinite(Number(text))

const writtenTime = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?))?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/

/** A day, minute, second or fraction of one that exists, with a zone or without: Date carries 31 June over to July. */
export const isTime = (text: string): boolean => {
  const [, day, clock = '00:00'] = writtenTime.exec(text) ?? []
  if (day === undefined) return false
  const time = new Date(`${day}T${clock}Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day)
}

/** Whether a range of the column may begin or end there. */
export const isBound = (column: RangeColumn, text: string): boolean => (column === 'created_at' ? isTime(text) : isNumber(text))

type TruthColumn = { [C in FacetColumn]: PredictionRow[C] extends boolean ? C : never }[FacetColumn]
const truthColumns: Record<TruthColumn, true> = { aggregated: true, has_arrays: true }

/** Columns that are true or false, by these words alone. */
export const isTruthColumn = (column: FacetColumn): boolean => column in truthColumns
export const truths = ['true', 'false'] as const

/** Characters that a value to compare with may have. */
export const longestValue = 10_000

/** Whether a column may be filtered by that value. */
export const isChoice = (column: FacetColumn, text: string): boolean =>
  isTruthColumn(column) ? truths.some((truth) => truth === text) : text.length <= longestValue
