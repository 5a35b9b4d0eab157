import { type ColumnBlock, joinColumns, offsetsOf, type RowBlock } from './column-block.ts'

/** These rows of a block, in this order. */
export const takeRows = (block: RowBlock, rows: readonly number[]): RowBlock => block.map((column) => takeColumn(column, rows))

const takeColumn = (column: ColumnBlock, rows: readonly number[]): ColumnBlock => {
  const offsets = offsetsOf(column)
  const { width, lengths } = column
  const valid = Uint8Array.from(rows, (row) => column.valid[row] ?? 0)
  const values = concat(column.values, rows, offsets, width)
  const nulls = column.nulls === null ? null : concat(column.nulls, rows, offsets, 1)
  return {
    ...column,
    rows: rows.length,
    valid,
    lengths: lengths === null ? null : Uint32Array.from(rows, (row) => lengths[row] ?? 0),
    values,
    nulls: nulls?.includes(1) ? nulls : null,
  }
}

const concat = (source: Uint8Array, rows: readonly number[], offsets: Uint32Array, width: number): Uint8Array => {
  const total = rows.reduce((sum, row) => sum + ((offsets[row + 1] ?? 0) - (offsets[row] ?? 0)), 0)
  const target = Buffer.allocUnsafe(total * width)
  let position = 0
  for (const row of rows) {
    const part = source.subarray((offsets[row] ?? 0) * width, (offsets[row + 1] ?? 0) * width)
    target.set(part, position)
    position += part.length
  }
  return target
}

/** A column of nulls, for a file or a batch that has no such column. */
export const nullColumn = (name: string, type: string, rows: number): ColumnBlock => {
  const isScalar = type === 'DOUBLE' || type === 'INTEGER'
  const width = type === 'VARCHAR' ? 1 : type.startsWith('DOUBLE') ? 8 : 4
  return {
    name,
    width,
    rows,
    valid: new Uint8Array(rows),
    lengths: isScalar ? null : new Uint32Array(rows),
    values: new Uint8Array(isScalar ? rows * width : 0),
    nulls: null,
  }
}

/** Several blocks of the same columns, one after the other. */
export const joinBlocks = (blocks: readonly RowBlock[]): RowBlock => {
  const [first] = blocks
  if (first === undefined || blocks.length === 1) return first ?? []
  return first.map((column, index) => joinColumns(blocks.map((block) => block[index] ?? column)))
}
