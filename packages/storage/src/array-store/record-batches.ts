import { arrayFileName } from '../arrays/file-name.ts'
import { arrayFileColumns, formsWith } from '../migration/array-columns.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { ArrayRecord } from './array-record.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { checkRecord, recordBlock, recordBytes } from './record-block.ts'
import { extraForms } from './record-columns.ts'
import type { BatchBlock, RowBatch } from './row-batch.ts'
import { rowKey } from './row-positions.ts'

/** Small row groups are written and read in parallel, and one prediction is found without decoding much. */
export const rowGroupRows = 2048
/** Bytes of values after which a row group ends early. */
export const rowGroupBytes = 64e6

/** The records by the file that they belong in; of several for one prediction the last one counts. Refuses before anything is written. */
export const recordsByFile = (records: readonly ArrayRecord[]): Map<string, ArrayRecord[]> => {
  const latest = new Map<string, ArrayRecord>()
  for (const record of records) {
    checkRecord(record)
    const key = rowKey(record.dataset_name, record.prediction_id)
    latest.delete(key)
    latest.set(key, record)
  }
  return Map.groupBy(latest.values(), ({ dataset_name }) => arrayFileName(dataset_name))
}

/** Records for one file, of which `known` are the columns so far. Fails with `validation` on a value that does not fit its column. */
export const recordBatch = (records: readonly ArrayRecord[], known: readonly ColumnForm[]): RowBatch => {
  const extras = extraForms(records, known)
  const base = formsWith([])
  const carried = known.filter(({ name }) => !Object.hasOwn(arrayFileColumns, name))
  const written = [...base, ...carried, ...extras]
  const blocks = cut(records).map((part) => blockOf(part, written))
  const forms = written.filter(({ name }) =>
    blocks.some(({ block }) => block.some((column) => column.name === name && column.valid.includes(1))),
  )
  return {
    forms,
    ids: new Set(records.map(({ prediction_id }) => prediction_id)),
    reader: null,
    summary: null,
    refits: [],
    blocks: async function* () {
      yield* blocks
    },
  }
}

const blockOf = (records: readonly ArrayRecord[], forms: readonly ColumnForm[]): BatchBlock => {
  const now = new Date().toISOString().replace('T', ' ').replace('Z', '')
  return {
    block: recordBlock(records, forms),
    rows: records.map((_, row) => row),
    group: null,
    contextOf: (row) => ({ created_at: now, ...records[row]?.about }),
  }
}

/** Row groups of at most so many rows and about so many bytes. */
const cut = (records: readonly ArrayRecord[]): ArrayRecord[][] => {
  const parts: ArrayRecord[][] = []
  let part: ArrayRecord[] = []
  let bytes = 0
  for (const record of records) {
    const more = recordBytes(record)
    if (part.length > 0 && (part.length === rowGroupRows || bytes + more > rowGroupBytes)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(record)
    bytes += more
  }
  return part.length === 0 ? parts : [...parts, part]
}

/** The columns of an array file; none when there is no such file. */
export const formsOfFile = async (folder: ArrayFolder, engine: LazyEngine, name: string): Promise<readonly ColumnForm[]> => {
  const reader = await folder.openIfThere(name, engine)
  await reader?.close()
  return reader?.forms ?? []
}
