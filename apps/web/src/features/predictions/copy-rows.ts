import type { PredictionColumn, PredictionRow } from '@nirs-workspace/types'
import { copyText } from '../../lib/copy-text.ts'
import type { LoadedRow } from '../../table/grid-row.tsx'
import type { RowRange } from '../../table/row-range.ts'
import { plainCell } from './cells.tsx'

/** Most rows that one copy takes; more belongs into an export. */
const maxRows = 10_000

/**
 * Puts these columns of the rows onto the clipboard, tab separated with a header line.
 * Rows that are not here as they are now are left out and said so, and where that are all of them the clipboard stays as it is; undefined
 * where nothing could be copied.
 */
export const copyRows = async (
  range: RowRange,
  columns: readonly PredictionColumn[],
  header: (id: PredictionColumn) => string,
  rowAt: (index: number) => LoadedRow<PredictionRow> | undefined,
): Promise<{ rows: number; complete: boolean } | undefined> => {
  const lines: string[] = []
  for (let index = range.first; index <= range.last && lines.length < maxRows; index += 1) {
    const found = rowAt(index)
    if (found?.stale === false) lines.push(columns.map((column) => plainCell(column, found.row)).join('\t'))
  }
  if (lines.length === 0) return { rows: 0, complete: false }
  if (!(await copyText([columns.map(header).join('\t'), ...lines].join('\n')))) return undefined
  return { rows: lines.length, complete: lines.length === range.last - range.first + 1 }
}
