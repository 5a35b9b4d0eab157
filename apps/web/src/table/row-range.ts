/** A run of rows, both ends included. */
export interface RowRange {
  readonly first: number
  readonly last: number
}

export const rangeBetween = (a: number, b: number): RowRange => ({ first: Math.min(a, b), last: Math.max(a, b) })

export const inRange = (range: RowRange | undefined, row: number): boolean => range !== undefined && row >= range.first && row <= range.last

/** What of a run is left where there are only so many rows. */
export const clipped = (range: RowRange | undefined, total: number): RowRange | undefined =>
  range === undefined || range.first >= total ? undefined : { first: range.first, last: Math.min(range.last, total - 1) }

/** Numbers of the blocks that hold these rows. */
export const blocksOf = (range: RowRange, blockSize: number, total: number | undefined): number[] => {
  const lastRow = total === undefined ? range.last : Math.min(range.last, total - 1)
  const first = Math.floor(Math.max(0, range.first) / blockSize)
  const last = Math.max(first, Math.floor(Math.max(0, lastRow) / blockSize))
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
