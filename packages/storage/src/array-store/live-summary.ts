import { columnOf, rowsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { RowMarks } from './row-marks.ts'
import { type SummaryBuilder, type SummaryRow, summaryColumns, summaryRows } from './summary-builder.ts'

/** Adds the rows of a file that count, of those the wanted ones. What a later row of its prediction has replaced does not count, nor what has no id. */
export const addLiveRows = async (
  builder: SummaryBuilder,
  reader: ArrayFileReader,
  replaced: RowMarks,
  isWanted: (row: number, found: SummaryRow) => boolean,
): Promise<void> => {
  for await (const { firstRow, block } of reader.blocks(summaryColumns)) {
    const { valid } = columnOf(block, 'prediction_id')
    const rows = Array.from({ length: rowsOf(block) }, (_, row) => row).filter((row) => valid[row] === 1 && !replaced.has(firstRow + row))
    for (const [index, found] of summaryRows(block, rows).entries()) {
      if (isWanted(firstRow + (rows[index] ?? 0), found)) builder.add(found, undefined)
    }
  }
}

/** How many rows of a file count. */
export const countLiveRows = async (reader: ArrayFileReader, replaced: RowMarks): Promise<number> => {
  let rows = 0
  // 0 stands for rows without an id.
  for (const hash of await reader.idHashes()) if (hash !== 0) rows += 1
  return rows - replaced.count
}
