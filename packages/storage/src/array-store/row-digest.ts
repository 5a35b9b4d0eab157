import { hash } from 'node:crypto'
import { type ColumnBlock, offsetsOf, type RowBlock } from '../parquet/column-block.ts'

/** A digest of every bit of these rows of a block, over these columns; a column that the block lacks is as one of nulls. */
export const digestRows = (block: RowBlock, names: readonly string[], rows: readonly number[]): string[] => {
  const columns = names.map((name) => {
    const column = block.find((one) => one.name === name)
    return column === undefined ? null : { column, offsets: offsetsOf(column) }
  })
  return rows.map((row) => hash('sha256', Buffer.concat(columns.flatMap((column) => packed(column, row))), 'base64'))
}

const absent = Uint8Array.of(0)

/** Null as one byte; else 1 or, with null elements, 2, the number of elements, for 2 a byte per element, the elements. */
const packed = (list: { column: ColumnBlock; offsets: Uint32Array } | null, row: number): Uint8Array[] => {
  if (list === null || list.column.valid[row] !== 1) return [absent]
  const { column, offsets } = list
  const [start, end] = [offsets[row] ?? 0, offsets[row + 1] ?? 0]
  const nulls = column.nulls?.subarray(start, end)
  const holdsNulls = nulls?.includes(1) === true
  const head = Buffer.alloc(5)
  head[0] = holdsNulls ? 2 : 1
  head.writeUInt32LE(end - start, 1)
  const values = column.values.subarray(start * column.width, end * column.width)
  return holdsNulls && nulls !== undefined ? [head, nulls, values] : [head, values]
}
