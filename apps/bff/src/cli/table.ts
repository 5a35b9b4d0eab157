type Cell = string | number | boolean | null | undefined

/** Columns of text, numbers to the right; texts longer than `widest` are cut, as the whole is in `--json`. */
export const formatTable = (headings: readonly string[], rows: readonly (readonly Cell[])[], { widest = 48 } = {}): string => {
  if (rows.length === 0) return ''
  const lines = [headings, ...rows.map((row) => row.map((cell) => formatCell(cell, widest)))]
  const widths = headings.map((_heading, column) => lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0))
  const rightAligned = headings.map((_heading, column) => rows.every((row) => typeof row[column] !== 'string'))
  const formatLine = (line: readonly string[]) =>
    line
      .map((cell, column) => (rightAligned[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return lines.map(formatLine).join('\n')
}

const formatCell = (cell: Cell, widest: number): string => {
  if (cell === null || cell === undefined) return '-'
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : cell.toPrecision(6)
  const text = printable(String(cell))
  return text.length > widest ? `${text.slice(0, widest - 1)}…` : text
}

/** Names come from files of others: escape codes and line breaks must not reach the terminal. */
export const printable = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}')

const units = ['B', 'kB', 'MB', 'GB', 'TB']

export const formatBytes = (bytes: number): string => {
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toPrecision(3)} ${units[power] ?? 'B'}`
}
