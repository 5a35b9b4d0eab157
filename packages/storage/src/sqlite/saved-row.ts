import type { SQLOutputValue } from 'node:sqlite'
import * as z from 'zod'

/** A row as node:sqlite gives it with big integers on: bigint = INTEGER, number = REAL. */
export type SqliteRow = Record<string, SQLOutputValue>
export type SavedRow = SqliteRow

/** JSON has one kind of number and no bytes: integers, reals and blobs say what they are. */
export const EncodedValue = z.union([
  z.null(),
  z.string(),
  z.strictObject({ int: z.string() }),
  z.strictObject({ real: z.string() }),
  z.strictObject({ blob: z.string() }),
])
export type EncodedValue = z.infer<typeof EncodedValue>
const Encoded = z.record(z.string(), EncodedValue)
type Encoded = z.infer<typeof Encoded>

export const encodeRow = (row: SqliteRow): Encoded =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encodeValue(value)]))

export const encodeValue = (value: SQLOutputValue): EncodedValue => {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'bigint') return { int: String(value) }
  if (typeof value === 'number') return { real: Object.is(value, -0) ? '-0' : String(value) }
  return { blob: Buffer.from(value).toString('base64') }
}

/** Throws a ZodError for what `encodeRow` has not made. */
export const decodeRow = (value: unknown): SavedRow => {
  const row: SavedRow = {}
  for (const [column, encoded] of Object.entries(Encoded.parse(value))) row[column] = decodeValue(encoded)
  return row
}

export const decodeValue = (encoded: EncodedValue): SQLOutputValue => {
  if (encoded === null || typeof encoded === 'string') return encoded
  if ('int' in encoded) return BigInt(encoded.int)
  return 'real' in encoded ? Number(encoded.real) : new Uint8Array(Buffer.from(encoded.blob, 'base64'))
}

/** Whether two rows hold the same values of the same kinds, bit for bit. */
export const isSameRow = (row: SqliteRow, saved: SavedRow): boolean =>
  JSON.stringify(Object.entries(encodeRow(row))) === JSON.stringify(Object.entries(encodeRow(saved)))
