import { columnOf, offsetsOf, type RowBlock, textAt } from '../parquet/column-block.ts'
import { GroupThreads } from '../parquet/group-threads.ts'
import { takeRows } from '../parquet/take-rows.ts'
import { takeFromGroup } from '../parquet/threaded-groups.ts'
import { workAhead } from '../parquet/work-ahead.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import { hashId } from './id-hashes.ts'

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
  const candidates = ids.size === 0 ? [] : await candidateRows(reader, ids)
  for await (const { block, rows, firstRow } of blocksWith(reader, candidates, ['prediction_id', 'dataset_name'])) {
    const [column, datasets] = [columnOf(block, 'prediction_id'), columnOf(block, 'dataset_name')]
    const [offsets, datasetOffsets] = [offsetsOf(column), offsetsOf(datasets)]
    for (const row of rows) {
      const id = textAt(column, offsets, row)
      const dataset = textAt(datasets, datasetOffsets, row) ?? ''
      if (id === null || !ids.has(id) || (datasetName !== undefined && dataset !== datasetName)) continue
      found.set(rowKey(dataset, id), { prediction_id: id, dataset_name: dataset, row: firstRow + row })
    }
  }
  return found
}

const slots = 2 ** 16

/** Rows that may have one of these ids, ascending: all that have, and hardly any other. */
export const candidateRows = async (reader: ArrayFileReader, ids: ReadonlySet<string>): Promise<number[]> => {
  const wanted = new Set(Array.from(ids, hashId))
  // One look per row: most are not wanted.
  const seen = new Uint8Array(slots)
  for (const hash of wanted) seen[hash % slots] = 1
  const rows: number[] = []
  const hashes = await reader.idHashes()
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row] ?? 0
    if (seen[hash % slots] === 1 && wanted.has(hash)) rows.push(row)
  }
  return rows
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

interface WantedRows {
  /** Null for rows of other programs, of neighbouring row groups. */
  readonly group: number | null
  readonly rows: number[]
}

/** These rows (ascending), as blocks of them alone. What this program wrote is decoded ahead, of many row groups in threads. */
export async function* takenRows(reader: ArrayFileReader, rows: readonly number[], names?: readonly string[]): AsyncGenerator<RowBlock> {
  const wanted = wantedRows(reader, rows)
  const bytesOf = ({ group }: WantedRows) => (group === null ? 0 : reader.file.valueBytes(group))
  const threads = new GroupThreads(wanted.reduce((bytes, one) => bytes + bytesOf(one), 0))
  const take = async ({ group, rows: inside }: WantedRows): Promise<RowBlock | null> => {
    if (group === null) return null
    const first = reader.file.groups[group]?.firstRow ?? 0
    return takeFromGroup(
      threads,
      reader.file,
      group,
      inside.map((row) => row - first),
      names,
    )
  }
  try {
    for await (const { item, result } of workAhead(wanted, { width: threads.width, bytesOf }, take)) {
      if (result !== null) yield result
      else for await (const found of blocksWith(reader, item.rows, names)) yield takeRows(found.block, found.rows)
    }
  } finally {
    await threads.close()
  }
}

const wantedRows = (reader: ArrayFileReader, rows: readonly number[]): WantedRows[] => {
  const wanted: WantedRows[] = []
  for (const row of rows) {
    const group = reader.groupOf(row)
    const key = reader.isOwn(group) ? group : null
    const last = wanted.at(-1)
    if (last?.group === key) last.rows.push(row)
    else wanted.push({ group: key, rows: [row] })
  }
  return wanted
}
