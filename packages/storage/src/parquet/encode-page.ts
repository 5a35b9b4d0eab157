import type { ColumnBlock } from './column-block.ts'
import { LevelRuns } from './level-runs.ts'

/** The content of a data page (format V1, PLAIN): repetition levels of lists, definition levels, values. */
export interface PlainPage {
  readonly bytes: Buffer
  /** Number of levels: rows, or for lists elements, a null or empty list counting as one. */
  readonly values: number
}

/** Memory for one page at a time, used again for the next: a new one each time would be gigabytes for the garbage collector. */
export class PageBuffer {
  #bytes = Buffer.alloc(0)

  join(pieces: readonly Uint8Array[]): Buffer {
    const length = pieces.reduce((total, piece) => total + piece.length, 0)
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(length * 1.25))
    let position = 0
    for (const piece of pieces) {
      this.#bytes.set(piece, position)
      position += piece.length
    }
    return this.#bytes.subarray(0, length)
  }
}

/** All rows of a column as one page. What is null is in the levels alone. The bytes are good until the buffer is used again. */
export const encodePage = (column: ColumnBlock, buffer: PageBuffer): PlainPage => {
  if (column.lengths === null) return scalarPage(column, presentValues(column.values, column.valid, column.width), buffer)
  return column.width === 1 ? scalarPage(column, textValues(column, column.lengths), buffer) : listPage(column, column.lengths, buffer)
}

const scalarPage = (column: ColumnBlock, values: Uint8Array, buffer: PageBuffer): PlainPage => {
  const definition = new LevelRuns()
  for (let row = 0; row < column.rows; row++) definition.add(column.valid[row] === 1 ? 1 : 0, 1)
  return { bytes: buffer.join([definition.finish(), values]), values: column.rows }
}

// Definition levels of an optional list of optional elements.
const level = { nullList: 0, emptyList: 1, nullElement: 2, element: 3 } as const

const listPage = (column: ColumnBlock, lengths: Uint32Array, buffer: PageBuffer): PlainPage => {
  const repetition = new LevelRuns()
  const definition = new LevelRuns()
  let element = 0
  let values = 0
  for (let row = 0; row < column.rows; row++) {
    const length = lengths[row] ?? 0
    repetition.add(0, 1)
    if (length === 0) definition.add(column.valid[row] === 1 ? level.emptyList : level.nullList, 1)
    else {
      repetition.add(1, length - 1)
      addElements(definition, column.nulls, element, length)
    }
    element += length
    values += Math.max(1, length)
  }
  const present = column.nulls === null ? column.values : presentValues(column.values, column.nulls.map(inverted), column.width)
  return { bytes: buffer.join([repetition.finish(), definition.finish(), present]), values }
}

const addElements = (definition: LevelRuns, nulls: Uint8Array | null, from: number, count: number): void => {
  if (nulls === null) definition.add(level.element, count)
  else for (let index = from; index < from + count; index++) definition.add(nulls[index] === 1 ? level.nullElement : level.element, 1)
}

const inverted = (bit: number): number => 1 - bit

const presentValues = (values: Uint8Array, present: Uint8Array, width: number): Uint8Array => {
  if (!present.includes(0)) return values
  const kept: Uint8Array[] = []
  present.forEach((one, index) => {
    if (one === 1) kept.push(values.subarray(index * width, (index + 1) * width))
  })
  return Buffer.concat(kept)
}

/** Every text with its length in bytes before it. */
const textValues = (column: ColumnBlock, lengths: Uint32Array): Buffer => {
  const target = Buffer.allocUnsafe(column.values.length + 4 * column.rows)
  let from = 0
  let to = 0
  for (let row = 0; row < column.rows; row++) {
    if (column.valid[row] !== 1) continue
    const length = lengths[row] ?? 0
    to = target.writeUInt32LE(length, to)
    target.set(column.values.subarray(from, from + length), to)
    from += length
    to += length
  }
  return target.subarray(0, to)
}
