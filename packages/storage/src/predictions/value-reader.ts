import { toWireNumber, type WireNumber } from '@nirs-workspace/types'

const unexpected = (expected: string, value: unknown) => new TypeError(`Expected ${expected} from the catalog, got ${typeof value}`)

/** A VARCHAR that is never null. */
export const readText = (value: unknown): string => {
  if (typeof value !== 'string') throw unexpected('text', value)
  return value
}

export const readTextOrNull = (value: unknown): string | null => (value === null ? null : readText(value))

/** An INTEGER, DOUBLE or a BIGINT count. */
export const readNumber = (value: unknown): number => {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  throw unexpected('a number', value)
}

export const readNumberOrNull = (value: unknown): number | null => (value === null ? null : readNumber(value))

/** A DOUBLE as it travels. */
export const readWireNumber = (value: unknown): WireNumber | null => (value === null ? null : toWireNumber(readNumber(value)))

export const readBoolean = (value: unknown): boolean => {
  if (typeof value !== 'boolean') throw unexpected('a boolean', value)
  return value
}

/** The SQL of a time for `readTimestamp`. */
export const writtenTime = (column: string): string => `catalog.written_time("${column}")`

/** ISO 8601: with a Z where it is UTC, without a zone where the store does not say which one its writer meant. */
export const readTimestamp = (value: unknown): string | null => readTextOrNull(value)?.replace(' ', 'T') ?? null
