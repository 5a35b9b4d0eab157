/** A place in the grid: row −1 is the header, rows count from 0. */
export interface Cell {
  readonly row: number
  readonly column: number
}

export interface GridSize {
  readonly rows: number
  readonly columns: number
  /** Whole rows that fit on the screen. */
  readonly page: number
}

export interface Key {
  readonly key: string
  readonly ctrl: boolean
}

/** Where a key moves the cursor, or undefined when the key does not move it. Never leaves the grid. */
export const moveCell = (cell: Cell, { key, ctrl }: Key, size: GridSize): Cell | undefined => {
  const to = target(cell, key, ctrl, size)
  if (to === undefined) return undefined
  return {
    row: Math.min(Math.max(to.row, -1), size.rows - 1),
    column: Math.min(Math.max(to.column, 0), Math.max(0, size.columns - 1)),
  }
}

/** The cursor where rows have gone: in the last one. Of no rows nobody knows anything yet. */
export const withinRows = (cell: Cell, rows: number): Cell => (rows === 0 || cell.row < rows ? cell : { ...cell, row: rows - 1 })

const target = ({ row, column }: Cell, key: string, ctrl: boolean, size: GridSize): Cell | undefined => {
  switch (key) {
    case 'ArrowUp':
      return { row: ctrl ? 0 : row - 1, column }
    case 'ArrowDown':
      return { row: ctrl ? size.rows - 1 : row + 1, column }
    case 'ArrowLeft':
      return { row, column: ctrl ? 0 : column - 1 }
    case 'ArrowRight':
      return { row, column: ctrl ? size.columns - 1 : column + 1 }
    case 'PageUp':
      return { row: row < 0 ? row : Math.max(0, row - size.page), column }
    case 'PageDown':
      return { row: row + size.page, column }
    case 'Home':
      return { row: ctrl ? 0 : row, column: 0 }
    case 'End':
      return { row: ctrl ? size.rows - 1 : row, column: size.columns - 1 }
    default:
      return undefined
  }
}
