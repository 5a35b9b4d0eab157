import { columnOf, offsetsOf, type RowBlock, textAt, textsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { IdHashes } from './id-hashes.ts'
import { RowMarks } from './row-marks.ts'
import { blocksWith, candidateRows, rowKey } from './row-positions.ts'

type Visit = (row: number, id: string, dataset: string) => void

/** Goes through the ids of a file once, `visit` being told of every row that has one. */
export const visitIds = async (reader: ArrayFileReader, visit: Visit): Promise<void> => {
  for await (const { firstRow, block } of reader.blocks(['prediction_id', 'dataset_name'])) {
    const datasets = textsOf(columnOf(block, 'dataset_name'))
    idsOf(block).forEach((id, row) => {
      if (id !== null) visit(firstRow + row, id, datasets[row] ?? '')
    })
  }
}

const idsOf = (block: RowBlock) => textsOf(columnOf(block, 'prediction_id'))

/** As `visitIds`, of all rows that share their id with another, and few else: mostly that is none. */
export const visitRepeated = async (reader: ArrayFileReader, visit: Visit): Promise<void> =>
  visitRows(reader, repeatedRows(await reader.idHashes()), visit)

/** As `visitIds`, of all rows that have one of these ids, and few else. */
export const visitRowsOf = async (reader: ArrayFileReader, ids: ReadonlySet<string>, visit: Visit): Promise<void> =>
  visitRows(reader, ids.size === 0 ? [] : await candidateRows(reader, ids), visit)

const visitRows = async (reader: ArrayFileReader, candidates: readonly number[], visit: Visit): Promise<void> => {
  for await (const { block, rows, firstRow } of blocksWith(reader, candidates, ['prediction_id', 'dataset_name'])) {
    const [ids, datasets] = [columnOf(block, 'prediction_id'), columnOf(block, 'dataset_name')]
    const [offsets, datasetOffsets] = [offsetsOf(ids), offsetsOf(datasets)]
    for (const row of rows) {
      const id = textAt(ids, offsets, row)
      if (id !== null) visit(firstRow + row, id, textAt(datasets, datasetOffsets, row) ?? '')
    }
  }
}

const repeatedRows = (hashes: IdHashes): number[] => {
  const sorted = hashes.toSorted()
  const repeated = new Set<number>()
  // 0 stands for rows without an id.
  for (let index = 1; index < sorted.length; index++) {
    const hash = sorted[index] ?? 0
    if (hash !== 0 && hash === sorted[index - 1]) repeated.add(hash)
  }
  const rows: number[] = []
  if (repeated.size === 0) return rows
  for (let row = 0; row < hashes.length; row++) if (repeated.has(hashes[row] ?? 0)) rows.push(row)
  return rows
}

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
  await visitRepeated(reader, (row, id, dataset) => replaced.visit(row, id, dataset))
  return replaced.marks
}
