import {
  type DuckDBDataChunk,
  DuckDBDoubleVector,
  DuckDBIntegerVector,
  DuckDBListVector,
  DuckDBVarCharVector,
  type DuckDBVector,
} from '@duckdb/node-api'
import { bytesOf, type ColumnBlock, joinColumns, type RowBlock, rowsOf, sliceColumn } from '../parquet/column-block.ts'
import { guarded, type Lane } from './engine-lane.ts'
import type { EngineParameters } from './open-engine.ts'
import { textBytes } from './text-bytes.ts'

/** Streams a query of text, DOUBLE, INTEGER, DOUBLE[] and INTEGER[] columns as blocks in canonical form. */
export async function* readBlocks(lane: Lane, sql: string, parameters?: EngineParameters): AsyncGenerator<RowBlock> {
  const result = await lane.stream(sql, parameters)
  const names = result.columnNames()
  for (;;) {
    const chunk = await guarded(() => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) return
    yield names.map((name, index) => columnBlock(name, chunk, index))
  }
}

/** Cuts a stream of blocks into pieces. */
export class RowReader {
  readonly #blocks: AsyncGenerator<RowBlock>
  #pending: RowBlock[] = []

  constructor(blocks: AsyncGenerator<RowBlock>) {
    this.#blocks = blocks
  }

  /** Exactly `rows` rows; fewer at the end. */
  async take(rows: number): Promise<RowBlock> {
    while (this.#held(rowsOf) < rows && (await this.#fetch()));
    const have = this.#held(rowsOf)
    const joined = joinBlocks(this.#pending)
    const count = Math.min(rows, have)
    this.#pending = count < have ? [sliceBlock(joined, count, have)] : []
    return sliceBlock(joined, 0, count)
  }

  /** About `rows` rows and never more, or fewer when they have more than about `bytes`: cut where nothing needs to be copied. None at the end. */
  async takeAbout(rows: number, bytes: number): Promise<RowBlock> {
    while (this.#held(rowsOf) < rows / 2 && this.#held(valueBytes) < bytes && (await this.#fetch()));
    const last = this.#held(rowsOf) > rows ? this.#pending.pop() : undefined
    if (last === undefined || this.#pending.length > 0) {
      const joined = joinBlocks(this.#pending)
      this.#pending = last === undefined ? [] : [last]
      return joined
    }
    this.#pending = [sliceBlock(last, rows, rowsOf(last))]
    return sliceBlock(last, 0, rows)
  }

  async #fetch(): Promise<boolean> {
    const next = await this.#blocks.next()
    if (next.done) return false
    this.#pending.push(next.value)
    return true
  }

  #held(measure: (block: RowBlock) => number): number {
    return this.#pending.reduce((total, block) => total + measure(block), 0)
  }

  /** Ends the stream before its end. */
  async close(): Promise<void> {
    await this.#blocks.return(undefined)
  }
}

const valueBytes = (block: RowBlock): number => block.reduce((bytes, column) => bytes + column.values.length, 0)

const joinBlocks = (blocks: readonly RowBlock[]): RowBlock => {
  const [first] = blocks
  if (first === undefined || blocks.length === 1) return first ?? []
  return first.map((_, index) => joinColumns(blocks.flatMap((block) => block[index] ?? [])))
}

const sliceBlock = (block: RowBlock, from: number, to: number): RowBlock => block.map((column) => sliceColumn(column, from, to))

const columnBlock = (name: string, chunk: DuckDBDataChunk, index: number): ColumnBlock => {
  const vector = chunk.getColumnVector(index)
  if (vector instanceof DuckDBListVector) return listBlock(name, vector, chunk.rowCount)
  if (vector instanceof DuckDBVarCharVector) return textBlock(name, vector, chunk.rowCount)
  const { values, width } = numbersOf(vector)
  const valid = validityOf(vector, chunk.rowCount)
  return {
    name,
    width,
    rows: chunk.rowCount,
    valid,
    lengths: null,
    values: cleared(values.subarray(0, chunk.rowCount * width), valid, width),
    nulls: null,
  }
}

const textBlock = (name: string, vector: DuckDBVarCharVector, rows: number): ColumnBlock => {
  const valid = validityOf(vector, rows)
  return { name, width: 1, rows, valid, ...textBytes(vector, valid, rows), nulls: null }
}

const listBlock = (name: string, vector: DuckDBListVector, rows: number): ColumnBlock => {
  const valid = validityOf(vector, rows)
  const lengths = new Uint32Array(rows)
  const { values, width } = numbersOf(vector.childVector)
  let next = -1
  let first = 0
  let total = 0
  let contiguous = true
  for (let row = 0; row < rows; row++) {
    if (valid[row] !== 1) continue
    const length = vector.getEntryLength(row)
    lengths[row] = length
    if (length === 0) continue
    const offset = vector.getEntryOffset(row)
    if (next === -1) first = offset
    else contiguous &&= offset === next
    next = offset + length
    total += length
  }
  const present = elementValidity(vector.childVector)
  const bytes = contiguous ? values.subarray(first * width, (first + total) * width) : gather(vector, lengths, values, width, total)
  const elements =
    present === null ? null : contiguous ? present.subarray(first, first + total) : gather(vector, lengths, present, 1, total)
  const nulls = elements?.includes(0) ? elements.map((one) => 1 - one) : null
  return { name, width, rows, valid, lengths, values: elements === null || nulls === null ? bytes : cleared(bytes, elements, width), nulls }
}

const gather = (vector: DuckDBListVector, lengths: Uint32Array, source: Uint8Array, width: number, total: number): Uint8Array => {
  const target = new Uint8Array(total * width)
  let position = 0
  lengths.forEach((length, row) => {
    if (length === 0) return
    const start = vector.getEntryOffset(row) * width
    target.set(source.subarray(start, start + length * width), position)
    position += length * width
  })
  return target
}

/** The flat numbers of a vector. `items` is not in the declared types; a release without it is noticed here, not in the data. */
const numbersOf = (vector: DuckDBVector): { values: Uint8Array; width: 4 | 8 } => {
  const items: unknown = Reflect.get(vector, 'items')
  if (vector instanceof DuckDBDoubleVector && items instanceof Float64Array) return { values: bytesOf(items), width: 8 }
  if (vector instanceof DuckDBIntegerVector && items instanceof Int32Array) return { values: bytesOf(items), width: 4 }
  throw new Error(`Only DOUBLE and INTEGER columns can be read as numbers, not ${vector.type}.`)
}

const validityOf = (vector: DuckDBVector, rows: number): Uint8Array =>
  elementValidity(vector)?.subarray(0, rows) ?? new Uint8Array(rows).fill(1)

/** 1 = valid, one byte per item; null when the vector has no nulls at all. */
const elementValidity = (vector: DuckDBVector): Uint8Array | null => {
  const validity: unknown = Reflect.get(vector, 'validity')
  const bits: unknown = validity === null || typeof validity !== 'object' ? undefined : Reflect.get(validity, 'data')
  if (bits === null) return null
  if (!(bits instanceof BigUint64Array)) throw new Error('This release of the DuckDB client keeps validity elsewhere.')
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
  const valid = new Uint8Array(vector.itemCount)
  for (let item = 0; item < valid.length; item++) valid[item] = ((bytes[item >> 3] ?? 0) >> (item & 7)) & 1
  return valid
}

const cleared = (values: Uint8Array, present: Uint8Array, width: number): Uint8Array => {
  if (!present.includes(0)) return values
  const zeroed = values.slice()
  present.forEach((one, index) => {
    if (one === 0) zeroed.fill(0, index * width, (index + 1) * width)
  })
  return zeroed
}
