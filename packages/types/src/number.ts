/**
 * Numbers that JSON cannot hold. On the wire a non-finite number is one of three strings; null stays null.
 * Free of zod so that the browser can import it.
 */
export type WireNumber = number | 'NaN' | 'Infinity' | '-Infinity'

/** A number as it travels. −0 becomes 0 in JSON text; raw array downloads keep it. */
export const toWireNumber = (value: number): WireNumber => {
  if (Number.isFinite(value)) return value
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? 'Infinity' : '-Infinity'
}

/** The number behind a wire value. */
export const fromWireNumber = (value: WireNumber): number => (typeof value === 'number' ? value : Number(value))

/** As `toWireNumber`, with null for null and undefined. */
export const toWireNumberOrNull = (value: number | null | undefined): WireNumber | null =>
  value === null || value === undefined ? null : toWireNumber(value)
