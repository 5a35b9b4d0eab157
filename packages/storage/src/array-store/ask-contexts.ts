import { columnOf, textsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { RecordContext } from './array-record.ts'
import type { ContextCounts } from './context-counts.ts'
import type { RowMarks } from './row-marks.ts'

/** What the metadata knows of these predictions; of those that it does not know, nothing. Asked in batches. */
export type ContextsOf = (ids: readonly string[]) => Promise<ReadonlyMap<string, RecordContext>>

const idsPerQuestion = 50_000

export const askContexts = async (contextsOf: ContextsOf, ids: readonly string[]): Promise<ReadonlyMap<string, RecordContext>> => {
  const found = new Map<string, RecordContext>()
  for (let from = 0; from < ids.length; from += idsPerQuestion) {
    for (const [id, context] of await contextsOf(ids.slice(from, from + idsPerQuestion))) found.set(id, context)
  }
  return found
}

/** Counts what the metadata says of the rows of a file that count and are wanted. */
export const countContexts = async (
  counts: ContextCounts,
  contextsOf: ContextsOf,
  { reader, replaced }: { readonly reader: ArrayFileReader; readonly replaced: RowMarks },
  isWanted: (row: number, id: string, dataset: string) => boolean,
): Promise<void> => {
  let ids: string[] = []
  const count = async () => {
    const found = await contextsOf(ids)
    for (const id of ids) counts.add(found.get(id) ?? {})
    ids = []
  }
  for await (const { firstRow, block } of reader.blocks(['prediction_id', 'dataset_name'])) {
    const datasets = textsOf(columnOf(block, 'dataset_name'))
    for (const [row, id] of textsOf(columnOf(block, 'prediction_id')).entries()) {
      if (id !== null && !replaced.has(firstRow + row) && isWanted(firstRow + row, id, datasets[row] ?? '')) ids.push(id)
    }
    if (ids.length >= idsPerQuestion) await count()
  }
  if (ids.length > 0) await count()
}
