import { type ColumnBlock, joinColumns, offsetsOf, type RowBlock } from './column-block.ts'
import type { PageBuffer } from './encode-page.ts'

/**
 * These rows of a block, in this order. Neighbours are copied together: mostly all but a few rows are taken. With buffers, one for each
 * column, the values are good until these are used again.
 */
export const takeRows = (block: RowBlock, rows: readonly number[], buffers: readonly PageBuffer[] = []): RowBlock => {
  const runs = runsOf(rows)
  return block.map((column, index) => takeColumn(column, runs, rows.length, buffers[index]))
}

interface Run {
  readonly from: number
  to: number
}

const runsOf = (rows: readonly number[]): Run[] => {
  const runs: Run[] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last?.to === row) last.to = row + 1
    else runs.push({ from: row, to: row + 1 })
  }
  return runs
}

const takeColumn = (column: ColumnBlock, runs: readonly Run[], rows: number, buffer: PageBuffer | undefined): ColumnBlock => {
  const { width, lengths } = column
  const places = lengths === null ? runs : elementRuns(runs, offsetsOf(column))
  const nulls = column.nulls === null ? null : joined(column.nulls, places, 1)
  return {
    ...column,
    rows,
    valid: joined(column.valid, runs, 1),
    lengths: lengths === null ? null : joinedLengths(lengths, runs, rows),
    values: joined(column.values, places, width, buffer),
    nulls: nulls?.includes(1) ? nulls : null,
  }
}

const elementRuns = (runs: readonly Run[], offsets: Uint32Array): Run[] =>
  runs.map(({ from, to }) => ({ from: offsets[from] ?? 0, to: offsets[to] ?? 0 }))

const joined = (source: Uint8Array, runs: readonly Run[], width: number, buffer?: PageBuffer): Uint8Array => {
  const pieces = runs.map(({ from, to }) => source.subarray(from * width, to * width))
  return buffer === undefined ? Buffer.concat(pieces) : buffer.join(pieces)
}

const joinedLengths = (lengths: Uint32Array, runs: readonly Run[], rows: number): Uint32Array => {
  const target = new Uint32Array(rows)
  let position = 0
  for (const { from, to } of runs) {
    target.set(lengths.subarray(from, to), position)
    position += to - from
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
