import type { DuckDBVarCharVector } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

export interface TextBytes {
  /** Bytes of every row; 0 for nulls. */
  readonly lengths: Uint32Array
  /** The bytes of all rows, one after the other, as DuckDB has them. */
  readonly values: Buffer
}

/**
 * The texts of a vector. Short ones lie in its entries; of the others an entry has the address. What lies side by side in DuckDB's memory is
 * fetched at once: a call and a buffer for each text took longer than reading the arrays beside them.
 */
export const textBytes = (vector: DuckDBVarCharVector, valid: Uint8Array, rows: number): TextBytes => {
  const entries = entriesOf(vector)
  const lengths = new Uint32Array(rows)
  const starts = new Uint32Array(rows)
  const long = new Uint32Array(rows)
  let total = 0
  let longOnes = 0
  for (let row = 0; row < rows; row++) {
    if (valid[row] !== 1) continue
    const length = entries.getUint32(row * entryBytes, true)
    lengths[row] = length
    starts[row] = total
    total += length
    if (length > longestInEntry) long[longOnes++] = row
  }
  const values = Buffer.allocUnsafe(total)
  copyShort(entries, lengths, values)
  copyLong(entries, { rows: long.subarray(0, longOnes), lengths, starts }, values)
  return { lengths, values }
}

const entryBytes = 16
const longestInEntry = 12
// After the length: the text itself, or its first four bytes and its address.
const textAt = 4
const addressAt = 8

/** The entries behind a text vector: not in the declared types, as `items` of numbers. */
const entriesOf = (vector: DuckDBVarCharVector): DataView<ArrayBuffer> => {
  const entries: unknown = Reflect.get(vector, 'dataView')
  if (entries instanceof DataView && isPlain(entries)) return entries
  throw new Error('This release of the DuckDB client keeps texts elsewhere.')
}

const isPlain = (view: DataView): view is DataView<ArrayBuffer> => view.buffer instanceof ArrayBuffer

const copyShort = (entries: DataView, lengths: Uint32Array, values: Buffer): void => {
  let position = 0
  for (let row = 0; row < lengths.length; row++) {
    const length = lengths[row] ?? 0
    const start = row * entryBytes + textAt
    if (length <= longestInEntry) for (let byte = 0; byte < length; byte++) values[position + byte] = entries.getUint8(start + byte)
    position += length
  }
}

interface LongTexts {
  readonly rows: Uint32Array
  readonly lengths: Uint32Array
  /** Where each row begins among the values. */
  readonly starts: Uint32Array
}

const copyLong = (entries: DataView<ArrayBuffer>, { rows, lengths, starts }: LongTexts, values: Buffer): void => {
  // Addresses of today's processors have 48 bits: a number holds them exactly.
  const addresses = Float64Array.from(rows, (row) => Number(entries.getBigUint64(row * entryBytes + addressAt, true)))
  const order = Uint32Array.from(rows, (_, index) => index)
  const address = (index: number): number => addresses[index] ?? 0
  const end = (index: number): number => address(index) + (lengths[rows[index] ?? 0] ?? 0)
  order.sort((a, b) => address(a) - address(b))
  for (let from = 0; from < order.length; ) {
    const first = order[from] ?? 0
    let reach = end(first)
    let to = from + 1
    // Only what touches: between two texts there may be no memory.
    for (; to < order.length && address(order[to] ?? 0) <= reach; to++) reach = Math.max(reach, end(order[to] ?? 0))
    const entry = entries.byteOffset + (rows[first] ?? 0) * entryBytes
    const bytes = duckdb.get_data_from_pointer(entries.buffer, entry + addressAt, reach - address(first))
    const run = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const index of order.subarray(from, to)) {
      run.copy(values, starts[rows[index] ?? 0] ?? 0, address(index) - address(first), end(index) - address(first))
    }
    from = to
  }
}
