import type { Cell } from './grid-keyboard.ts'

/** The cursor in the same column among other columns; where that one has gone, in what stands in its place. */
export const keepColumn = (cell: Cell, before: readonly string[], now: readonly string[]): Cell => {
  const same = now.indexOf(before[cell.column] ?? '')
  const column = same < 0 ? Math.max(0, Math.min(cell.column, now.length - 1)) : same
  return column === cell.column ? cell : { ...cell, column }
}
