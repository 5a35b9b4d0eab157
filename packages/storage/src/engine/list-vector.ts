import { DuckDBDoubleVector, DuckDBIntegerVector, DuckDBListVector, type DuckDBVector } from '@duckdb/node-api'
import type { FloatList, IntegerList, NumberList } from './number-list.ts'

type Numbers = Float64Array | Int32Array

/**
 * Reads a column of DOUBLE[] or INTEGER[] of one chunk into views on one typed array, bit for bit (NaN payloads and −0 included).
 * The array was copied out of DuckDB's memory when the chunk was fetched, so the views outlive the chunk.
 */
export class ListColumn {
  readonly #lists: DuckDBListVector
  readonly #values: Numbers
  readonly #nulls: Uint8Array | null

  constructor(vector: DuckDBVector) {
    if (!(vector instanceof DuckDBListVector)) throw new TypeError(`Expected a list column, got ${vector.type.toString()}`)
    this.#lists = vector
    this.#values = flatValues(vector.childVector)
    this.#nulls = flatNulls(vector.childVector)
  }

  floats(row: number): FloatList | null {
    const list = this.#list(row)
    if (list === null) return null
    if (!(list.values instanceof Float64Array)) throw new TypeError('Expected a list of DOUBLE')
    return { values: list.values, nulls: list.nulls }
  }

  integers(row: number): IntegerList | null {
    const list = this.#list(row)
    if (list === null) return null
    if (!(list.values instanceof Int32Array)) throw new TypeError('Expected a list of INTEGER')
    return { values: list.values, nulls: list.nulls }
  }

  #list(row: number): NumberList | null {
    if (!isValid(this.#lists, row)) return null
    const start = this.#lists.getEntryOffset(row)
    const end = start + this.#lists.getEntryLength(row)
    const nulls = this.#nulls?.subarray(start, end)
    return { values: this.#values.subarray(start, end), nulls: nulls?.includes(1) ? nulls : null }
  }
}

// `items` is private in the declarations of @duckdb/node-api but is the flat storage behind getItem(); checked, with a slow way round.
const flatValues = (child: DuckDBVector): Numbers => {
  const items: unknown = Reflect.get(child, 'items')
  if (items instanceof Float64Array || items instanceof Int32Array) return items
  if (child instanceof DuckDBDoubleVector) return Float64Array.from(elements(child), (value) => value ?? Number.NaN)
  if (child instanceof DuckDBIntegerVector) return Int32Array.from(elements(child), (value) => value ?? 0)
  throw new TypeError(`Expected a list of DOUBLE or INTEGER, got ${child.type.toString()}`)
}

const elements = function* (child: DuckDBDoubleVector | DuckDBIntegerVector) {
  for (let index = 0; index < child.itemCount; index += 1) yield child.getItem(index)
}

const flatNulls = (child: DuckDBVector): Uint8Array | null => {
  const words = validityWords(child)
  if (words === null) return null
  const count = child.itemCount
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  const nulls = new Uint8Array(count)
  let found = false
  for (let index = 0; index < count; index += 1) {
    if (((bytes[index >> 3] ?? 255) & (1 << (index & 7))) === 0) {
      nulls[index] = 1
      found = true
    }
  }
  return found ? nulls : null
}

// One bit per element, set = valid, least significant first; null when every element is valid.
const validityWords = (vector: DuckDBVector): BigUint64Array | null => {
  const validity: unknown = Reflect.get(vector, 'validity')
  if (validity === null || typeof validity !== 'object') throw new TypeError('This release of DuckDB hides which elements are null')
  const words: unknown = Reflect.get(validity, 'data')
  if (words === null) return null
  if (words instanceof BigUint64Array) return words
  throw new TypeError('This release of DuckDB hides which elements are null')
}

const isValid = (vector: DuckDBVector, row: number): boolean => {
  const words = validityWords(vector)
  return words === null || (((words[row >> 6] ?? 0n) >> BigInt(row & 63)) & 1n) === 1n
}
