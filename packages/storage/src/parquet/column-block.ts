/**
 * One column of consecutive rows in one canonical form, whoever decoded it, so that two readers can be compared with memcmp and a
 * checksum means the same for both. Null rows have length 0, null elements are zero bytes.
 */
export interface ColumnBlock {
  readonly name: string
  /** Bytes per element: 8 double, 4 integer, 1 text. */
  readonly width: 1 | 4 | 8
  readonly rows: number
  /** 1 = the row has a value. */
  readonly valid: Uint8Array
  /** Elements of every row (bytes for text); null for scalars, which have one each. */
  readonly lengths: Uint32Array | null
  /** All elements, one row after the other, little-endian. */
  readonly values: Uint8Array
  /** 1 = this element is null; null when none is. */
  readonly nulls: Uint8Array | null
}

export type RowBlock = readonly ColumnBlock[]

export const columnOf = (block: RowBlock, name: string): ColumnBlock => {
  const column = block.find((one) => one.name === name)
  if (column === undefined) throw new Error(`There is no column ${name}.`)
  return column
}

export const rowsOf = (block: RowBlock): number => block[0]?.rows ?? 0

/** The same column in memory of its own. */
export const copyColumn = (column: ColumnBlock): ColumnBlock => ({ ...column, values: column.values.slice() })

/** Rows `from` to `to` of a column, as views where possible. */
export const sliceColumn = (column: ColumnBlock, from: number, to: number): ColumnBlock => {
  if (from === 0 && to === column.rows) return column
  const first = column.lengths === null ? from : sum(column.lengths, 0, from)
  const count = column.lengths === null ? to - from : sum(column.lengths, from, to)
  return {
    ...column,
    rows: to - from,
    valid: column.valid.subarray(from, to),
    lengths: column.lengths?.subarray(from, to) ?? null,
    values: column.values.subarray(first * column.width, (first + count) * column.width),
    nulls: onlyIfAny(column.nulls?.subarray(first, first + count) ?? null),
  }
}

/** Several pieces of the same column, one after the other. */
export const joinColumns = (pieces: readonly ColumnBlock[]): ColumnBlock => {
  const [first] = pieces
  if (first === undefined) throw new Error('Nothing to join.')
  if (pieces.length === 1) return first
  const elements = (piece: ColumnBlock) => piece.values.length / piece.width
  return {
    ...first,
    rows: pieces.reduce((rows, piece) => rows + piece.rows, 0),
    valid: joinBytes(pieces.map((piece) => piece.valid)),
    lengths: first.lengths === null ? null : joinLengths(pieces),
    values: joinBytes(pieces.map((piece) => piece.values)),
    nulls: pieces.some((piece) => piece.nulls !== null)
      ? joinBytes(pieces.map((piece) => piece.nulls ?? new Uint8Array(elements(piece))))
      : null,
  }
}

const joinLengths = (pieces: readonly ColumnBlock[]): Uint32Array => {
  const joined = new Uint32Array(pieces.reduce((rows, piece) => rows + piece.rows, 0))
  let row = 0
  for (const piece of pieces) {
    if (piece.lengths !== null) joined.set(piece.lengths, row)
    row += piece.rows
  }
  return joined
}

export const textAt = (column: ColumnBlock, offsets: Uint32Array, row: number): string | null =>
  column.valid[row] === 1
    ? Buffer.from(column.values.buffer, column.values.byteOffset).toString('utf8', offsets[row], offsets[row + 1])
    : null

/** Every row of a text column; null rows stay null. */
export const textsOf = (column: ColumnBlock): (string | null)[] => {
  const offsets = offsetsOf(column)
  const bytes = Buffer.from(column.values.buffer, column.values.byteOffset, column.values.byteLength)
  return Array.from({ length: column.rows }, (_, row) =>
    column.valid[row] === 1 ? bytes.toString('utf8', offsets[row], offsets[row + 1]) : null,
  )
}

/** Where every row's elements begin, in elements; one entry more than rows. */
export const offsetsOf = (column: ColumnBlock): Uint32Array => {
  const offsets = new Uint32Array(column.rows + 1)
  for (let row = 0; row < column.rows; row++)
    offsets[row + 1] = (offsets[row] ?? 0) + (column.lengths === null ? 1 : (column.lengths[row] ?? 0))
  return offsets
}

/** The same bits: validity, lengths, elements, null elements. */
export const sameColumn = (a: ColumnBlock, b: ColumnBlock): boolean =>
  a.rows === b.rows &&
  a.width === b.width &&
  sameBytes(a.valid, b.valid) &&
  sameLengths(a.lengths, b.lengths) &&
  sameBytes(a.values, b.values) &&
  (a.nulls === null) === (b.nulls === null) &&
  (a.nulls === null || b.nulls === null || sameBytes(a.nulls, b.nulls))

/** Rows in which two columns differ; as many as the longer has more count too. */
export const differingRows = (a: ColumnBlock, b: ColumnBlock): number[] => {
  if (sameColumn(a, b)) return []
  const rows = Math.max(a.rows, b.rows)
  const differing: number[] = []
  for (let row = 0; row < rows; row++) {
    const inBoth = row < a.rows && row < b.rows
    if (!inBoth || !sameColumn(sliceColumn(a, row, row + 1), sliceColumn(b, row, row + 1))) differing.push(row)
  }
  return differing
}

const sameLengths = (a: Uint32Array | null, b: Uint32Array | null): boolean =>
  a === null || b === null ? a === b : sameBytes(bytesOf(a), bytesOf(b))

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

export const bytesOf = (array: Uint32Array | Int32Array | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

const joinBytes = (pieces: readonly Uint8Array[]): Uint8Array => Buffer.concat(pieces)

const onlyIfAny = (nulls: Uint8Array | null): Uint8Array | null => (nulls?.includes(1) ? nulls : null)

const sum = (lengths: Uint32Array, from: number, to: number): number => {
  let total = 0
  for (let row = from; row < to; row++) total += lengths[row] ?? 0
  return total
}
