import { type ColumnBlock, columnOf, offsetsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { CorruptArrays } from './array-reports.ts'
import { blockRecords } from './block-records.ts'
import { blocksWith } from './row-positions.ts'

const column = 'y_proba_shape'

/** Predictions whose class probabilities have a negative number of rows or classes, by row group: nobody can lay them out. */
export const negativeShapes = async (reader: ArrayFileReader): Promise<CorruptArrays[]> => {
  if (!reader.forms.some(({ name }) => name === column)) return []
  const rows: number[] = []
  for await (const { firstRow, block } of reader.blocks([column])) {
    for (const row of negativeRows(columnOf(block, column))) rows.push(firstRow + row)
  }
  const found: CorruptArrays[] = []
  for (const [group, inside] of Map.groupBy(rows, (row) => reader.groupOf(row))) found.push(await located(reader, group, inside))
  return found
}

const negativeRows = (shapes: ColumnBlock): number[] => {
  const numbers = new DataView(shapes.values.buffer, shapes.values.byteOffset, shapes.values.byteLength)
  const offsets = offsetsOf(shapes)
  const rows: number[] = []
  for (let row = 0; row < shapes.rows; row++) {
    const [start = 0, end = 0] = [offsets[row], offsets[row + 1]]
    for (let place = start; place < end; place++) {
      if (numbers.getInt32(place * 4, true) >= 0) continue
      rows.push(row)
      break
    }
  }
  return rows
}

const located = async (reader: ArrayFileReader, group: number, rows: readonly number[]): Promise<CorruptArrays> => {
  const ids = new Set<string>()
  const datasets = new Set<string>()
  for await (const { block, rows: inside } of blocksWith(reader, rows, ['prediction_id', 'dataset_name'])) {
    for (const { prediction_id, dataset_name } of blockRecords(block, inside)) {
      ids.add(prediction_id)
      datasets.add(dataset_name)
    }
  }
  return {
    file: reader.name,
    datasets: [...datasets].sort(),
    row_group: group,
    columns: [column],
    prediction_ids: [...ids],
    reason: 'the shape of class probabilities has negative numbers',
  }
}
