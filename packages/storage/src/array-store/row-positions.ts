import { type ColumnBlock, columnOf, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'

/** A row of a file that counts for its prediction: the last one of its dataset and id. */
export interface LiveRow {
  readonly prediction_id: string
  readonly dataset_name: string
  readonly row: number
}

/** What tells rows apart. */
export const rowKey = (datasetName: string, id: string): string => `${id.length}:${id}${datasetName}`

/** The rows that count of these predictions, by key; of one dataset when one is given. Rows without an id never count. */
export const findRows = async (reader: ArrayFileReader, ids: ReadonlySet<string>, datasetName?: string): Promise<Map<string, LiveRow>> => {
  const found = new Map<string, LiveRow>()
  if (ids.size === 0) return found
  const filter = new IdFilter(ids)
  for await (const { firstRow, block } of reader.blocks(['prediction_id', 'dataset_name'])) {
    const column = columnOf(block, 'prediction_id')
    const candidates = filter.candidates(column)
    if (candidates.length === 0) continue
    const offsets = offsetsOf(column)
    const datasets = columnOf(block, 'dataset_name')
    const datasetOffsets = offsetsOf(datasets)
    for (const row of candidates) {
      const id = textAt(column, offsets, row)
      const dataset = textAt(datasets, datasetOffsets, row) ?? ''
      if (id === null || !ids.has(id) || (datasetName !== undefined && dataset !== datasetName)) continue
      found.set(rowKey(dataset, id), { prediction_id: id, dataset_name: dataset, row: firstRow + row })
    }
  }
  return found
}

const slots = 2 ** 16

/** Passes over the ids of a file at one look per row: most are not wanted, and need not become strings. */
class IdFilter {
  readonly #seen = new Uint8Array(slots)

  constructor(ids: ReadonlySet<string>) {
    for (const id of ids) {
      const bytes = Buffer.from(id)
      this.#seen[slotOf(bytes, 0, bytes.length)] = 1
    }
  }

  candidates({ values, lengths, valid, rows }: ColumnBlock): number[] {
    const found: number[] = []
    let start = 0
    for (let row = 0; row < rows; row++) {
      const length = lengths?.[row] ?? 0
      if (valid[row] === 1 && this.#seen[slotOf(values, start, length)] === 1) found.push(row)
      start += length
    }
    return found
  }
}

/** Of the length and of up to sixteen bytes, eight from either end. */
const slotOf = (bytes: Uint8Array, start: number, length: number): number => {
  let hash = length
  const head = Math.min(8, length)
  for (let index = 0; index < head; index++) hash = (Math.imul(hash, 31) + (bytes[start + index] ?? 0)) | 0
  for (let index = Math.max(head, length - 8); index < length; index++) hash = (Math.imul(hash, 31) + (bytes[start + index] ?? 0)) | 0
  return (hash ^ (hash >>> 16)) & (slots - 1)
}

/** The blocks that hold these rows (ascending), each with the rows of it that are wanted. */
export async function* blocksWith(
  reader: ArrayFileReader,
  rows: readonly number[],
  names?: readonly string[],
): AsyncGenerator<{ block: RowBlock; rows: number[]; firstRow: number }> {
  const groups = [...new Set(rows.map((row) => reader.groupOf(row)))]
  let next = 0
  for await (const { firstRow, block } of reader.blocks(names, groups)) {
    const end = firstRow + (block[0]?.rows ?? 0)
    const inside: number[] = []
    for (let row = rows[next]; row !== undefined && row < end; row = rows[++next]) inside.push(row - firstRow)
    if (inside.length > 0) yield { block, rows: inside, firstRow }
  }
}
