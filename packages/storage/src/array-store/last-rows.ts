import { columnOf, type RowBlock, textsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import { RowMarks } from './row-marks.ts'
import { rowKey } from './row-positions.ts'

/** Goes through the ids of a file once, `visit` being told of every row that has one. */
export const visitIds = async (reader: ArrayFileReader, visit: (row: number, id: string, dataset: string) => void): Promise<void> => {
  for await (const { firstRow, block } of reader.blocks(['prediction_id', 'dataset_name'])) {
    const datasets = textsOf(columnOf(block, 'dataset_name'))
    idsOf(block).forEach((id, row) => {
      if (id !== null) visit(firstRow + row, id, datasets[row] ?? '')
    })
  }
}

const idsOf = (block: RowBlock) => textsOf(columnOf(block, 'prediction_id'))

/** Rows that a later row of the same dataset and id has replaced. */
export class ReplacedRows {
  readonly marks: RowMarks
  readonly #last = new Map<string, number>()

  constructor(rows: number) {
    this.marks = new RowMarks(rows)
  }

  visit(row: number, id: string, dataset: string): void {
    const key = rowKey(dataset, id)
    const before = this.#last.get(key)
    if (before !== undefined) this.marks.add(before)
    this.#last.set(key, row)
  }
}

export const replacedRows = async (reader: ArrayFileReader): Promise<RowMarks> => {
  const replaced = new ReplacedRows(reader.rows)
  await visitIds(reader, (row, id, dataset) => replaced.visit(row, id, dataset))
  return replaced.marks
}
