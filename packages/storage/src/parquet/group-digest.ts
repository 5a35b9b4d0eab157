import { createHash } from 'node:crypto'
import { type ArraysDigest, digestedColumns } from './arrays-digest.ts'
import { bytesOf, type RowBlock } from './column-block.ts'

/** What two readers of the same row group must agree on, to the bit. */
export interface GroupDigest {
  /** SHA-256 of the arrays of every row, 32 bytes each. */
  readonly rows: Uint8Array
  /** SHA-256 of all other columns together. */
  readonly others: string
  /** Bytes of all values. */
  readonly bytes: number
}

export const digestGroup = (digest: ArraysDigest, block: RowBlock): GroupDigest => ({
  rows: digest.add(block),
  others: digestOthers(block),
  bytes: block.reduce((bytes, column) => bytes + column.values.length, 0),
})

const digestOthers = (block: RowBlock): string => {
  const all = createHash('sha256')
  for (const column of block) {
    if (digestedColumns.some((name) => name === column.name)) continue
    all.update(`${column.name}\0${column.rows}\0${column.lengths === null ? '-' : 'l'}${column.nulls === null ? '-' : 'n'}`)
    all.update(column.valid)
    if (column.lengths !== null) all.update(bytesOf(column.lengths))
    if (column.nulls !== null) all.update(column.nulls)
    all.update(column.values)
  }
  return all.digest('hex')
}
