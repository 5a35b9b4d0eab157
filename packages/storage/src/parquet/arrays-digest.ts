import { createHash, type Hash } from 'node:crypto'
import { type ColumnBlock, columnOf, offsetsOf, type RowBlock, textAt } from './column-block.ts'

const arrayNames = ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'] as const

/**
 * SHA-256 per dataset over ids and all arrays (docs/formats.md). Rows must be added in order of the UTF-8 bytes of prediction_id.
 * Every NaN counts as 7FF8000000000000; a null element as 7FF8000000000001, or 80000000 in sample_indices.
 */
export class ArraysDigest {
  readonly #hashes = new Map<string, Hash>()
  readonly #figures = new Map<string, { rows: number; values: number }>()
  readonly #skipped: ReadonlySet<string>
  #scratch = Buffer.alloc(0)

  /** `skipped`: ids that no metadata knows; they are kept in the files but do not count. */
  constructor(skipped: ReadonlySet<string> = new Set()) {
    this.#skipped = skipped
  }

  add(block: RowBlock): void {
    const ids = columnOf(block, 'prediction_id')
    const datasets = columnOf(block, 'dataset_name')
    const columns = arrayNames.map((name) => packable(columnOf(block, name)))
    const idOffsets = offsetsOf(ids)
    const datasetOffsets = offsetsOf(datasets)
    let start = 0
    for (let row = 0; row <= ids.rows; row++) {
      if (row < ids.rows && (row === start || sameText(datasets, datasetOffsets, row, start)) && row - start < 256) continue
      this.#addRun(textAt(datasets, datasetOffsets, start) ?? '', { ids, idOffsets, columns }, start, row)
      start = row
      if (row === ids.rows) break
    }
  }

  results(): Map<string, { sha256: string; rows: number; values: number }> {
    return new Map(
      [...this.#hashes].map(([name, hash]) => [name, { sha256: hash.copy().digest('hex'), ...(this.#figures.get(name) ?? noFigures) }]),
    )
  }

  /** One buffer for all runs: a new one each time would be a gigabyte for the garbage collector. */
  #scratchOf(bytes: number): Buffer {
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(bytes * 2)
    return this.#scratch
  }

  #addRun(dataset: string, rows: Rows, from: number, to: number): void {
    if (from === to) return
    const hash = this.#hashes.get(dataset) ?? createHash('sha256')
    const figures = this.#figures.get(dataset) ?? { rows: 0, values: 0 }
    this.#hashes.set(dataset, hash)
    this.#figures.set(dataset, figures)
    const buffer = this.#scratchOf(runBytes(rows, from, to))
    let position = 0
    for (let row = from; row < to; row++) {
      if (this.#skipped.size > 0 && this.#skipped.has(textAt(rows.ids, rows.idOffsets, row) ?? '')) continue
      position = packId(buffer, position, rows, row)
      for (const column of rows.columns) {
        position = packList(buffer, position, column, row)
        figures.values += column.lengths[row] ?? 0
      }
      figures.rows += 1
    }
    hash.update(buffer.subarray(0, position))
  }
}

const noFigures = { rows: 0, values: 0 }
const nullMark = Buffer.from('null')

interface Packable {
  readonly width: number
  readonly valid: Uint8Array
  readonly lengths: Uint32Array
  readonly offsets: Uint32Array
  readonly values: Buffer
}
interface Rows {
  readonly ids: ColumnBlock
  readonly idOffsets: Uint32Array
  readonly columns: readonly Packable[]
}

const packable = (column: ColumnBlock): Packable => {
  const bytes = canonicalValues(column)
  return {
    width: column.width,
    valid: column.valid,
    lengths: column.lengths ?? new Uint32Array(column.rows).fill(1),
    offsets: offsetsOf(column),
    values: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  }
}

const runBytes = (rows: Rows, from: number, to: number): number => {
  let bytes = (rows.idOffsets[to] ?? 0) - (rows.idOffsets[from] ?? 0) + 4 * (to - from)
  for (const column of rows.columns) bytes += ((column.offsets[to] ?? 0) - (column.offsets[from] ?? 0)) * column.width + 4 * (to - from)
  return bytes
}

const packId = (buffer: Buffer, position: number, { ids, idOffsets }: Rows, row: number): number => {
  const start = idOffsets[row] ?? 0
  const end = idOffsets[row + 1] ?? start
  buffer.writeUInt32LE(end - start, position)
  buffer.set(ids.values.subarray(start, end), position + 4)
  return position + 4 + end - start
}

const packList = (buffer: Buffer, position: number, column: Packable, row: number): number => {
  if (column.valid[row] !== 1) return position + nullMark.copy(buffer, position)
  const start = (column.offsets[row] ?? 0) * column.width
  const end = (column.offsets[row + 1] ?? 0) * column.width
  buffer.writeUInt32LE(column.lengths[row] ?? 0, position)
  return position + 4 + column.values.copy(buffer, position + 4, start, end)
}

const canonicalNaN = 0x7ff8000000000000n
const nullDouble = 0x7ff8000000000001n
const nullInteger = -0x80000000

const canonicalValues = (column: ColumnBlock): Uint8Array => {
  if (column.width === 8) return canonicalDoubles(column)
  return column.nulls === null ? column.values : markNullIntegers(column.values, column.nulls)
}

const canonicalDoubles = (column: ColumnBlock): Uint8Array => {
  const view = aligned(column.values)
  if (column.nulls === null && !holdsNaN(view)) return column.values
  const bits = new BigUint64Array(view.length)
  bits.set(new BigUint64Array(view.buffer, view.byteOffset, view.length))
  for (let index = 0; index < view.length; index++) {
    if (column.nulls?.[index] === 1) bits[index] = nullDouble
    else if (Number.isNaN(view[index])) bits[index] = canonicalNaN
  }
  return new Uint8Array(bits.buffer)
}

// A plain loop: the same with `some` takes twenty times as long.
const holdsNaN = (view: Float64Array): boolean => {
  for (let index = 0; index < view.length; index++) if (Number.isNaN(view[index])) return true
  return false
}

const markNullIntegers = (values: Uint8Array, nulls: Uint8Array): Uint8Array => {
  const marked = Buffer.from(values)
  nulls.forEach((isNull, index) => {
    if (isNull === 1) marked.writeInt32LE(nullInteger, index * 4)
  })
  return marked
}

const aligned = (bytes: Uint8Array): Float64Array => {
  const source = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  return new Float64Array(source.buffer, source.byteOffset, source.byteLength / 8)
}

const sameText = (column: ColumnBlock, offsets: Uint32Array, a: number, b: number): boolean => {
  const length = column.lengths?.[a] ?? 0
  if (length !== (column.lengths?.[b] ?? 0)) return false
  const startA = offsets[a] ?? 0
  const startB = offsets[b] ?? 0
  for (let index = 0; index < length; index++) if (column.values[startA + index] !== column.values[startB + index]) return false
  return true
}
