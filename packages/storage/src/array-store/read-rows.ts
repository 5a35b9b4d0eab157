import { type ArrayRow, arrayColumns } from '../arrays/array-source.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { probaShape } from '../arrays/proba-shape.ts'
import { isStorageError } from '../errors.ts'
import { rowsOf } from '../parquet/column-block.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { ArrayFolder } from './array-folder.ts'
import type { StoredRecord } from './array-record.ts'
import { blockRecords } from './block-records.ts'
import { filesOfDataset } from './dataset-files.ts'
import { replacedRows } from './last-rows.ts'
import type { LazyEngine } from './lazy-engine.ts'
import { findRows, takenRows } from './row-positions.ts'

const rowColumns = ['prediction_id', 'dataset_name', 'y_proba_shape', ...arrayColumns]

/**
 * The arrays of these predictions that are not in `removed`. Reads only the row groups that hold them; a damaged one among those is an
 * error. An id in several files gives the row of the one that is called after the dataset, or else the first by name.
 */
export const readRows = async (
  folder: ArrayFolder,
  engine: LazyEngine,
  ids: ReadonlySet<string>,
  removed: { has(id: string): boolean },
  datasetName?: string,
): Promise<Map<string, ArrayRow>> => {
  const wanted = new Set([...ids].filter((id) => !removed.has(id)))
  const rows = new Map<string, ArrayRow>()
  for await (const name of filesToSearch(folder, engine, datasetName)) {
    if (wanted.size === 0) break
    const reader = await openUnlessGone(folder, name, engine)
    if (reader === null) continue
    try {
      for await (const record of recordsOf(reader, wanted, datasetName, rowColumns)) {
        rows.set(record.prediction_id, arrayRow(record))
      }
      for (const id of rows.keys()) wanted.delete(id)
    } finally {
      await reader.close()
    }
  }
  return rows
}

/** The file that is called after the dataset first: mostly it has everything, and the others need not be opened. */
async function* filesToSearch(folder: ArrayFolder, engine: LazyEngine, datasetName: string | undefined): AsyncGenerator<string> {
  if (datasetName === undefined) return yield* await folder.names()
  const own = arrayFileName(datasetName)
  if ((await folder.stamp(own)) !== null) yield own
  for (const name of await filesOfDataset(folder, engine, datasetName)) if (name !== own) yield name
}

/** The rows that count of these predictions, in file order. */
export async function* recordsOf(
  reader: ArrayFileReader,
  ids: ReadonlySet<string>,
  datasetName?: string,
  names?: readonly string[],
): AsyncGenerator<StoredRecord> {
  const found = await findRows(reader, ids, datasetName)
  const positions = [...found.values()].map(({ row }) => row).sort((a, b) => a - b)
  for await (const block of takenRows(reader, positions, names)) yield* blockRecords(block, [...Array(rowsOf(block)).keys()])
}

/** All rows that count of one dataset, a row group at a time. */
export async function* datasetRecords(
  folder: ArrayFolder,
  engine: LazyEngine,
  datasetName: string,
  removed: { has(id: string): boolean },
): AsyncGenerator<StoredRecord[]> {
  const seen = new Set<string>()
  const files: string[] = []
  for await (const name of filesToSearch(folder, engine, datasetName)) files.push(name)
  for (const name of files) {
    const reader = await openUnlessGone(folder, name, engine)
    if (reader === null) continue
    try {
      for await (const records of fileRecords(reader, datasetName)) {
        const wanted = records.filter(({ prediction_id }) => !removed.has(prediction_id) && !seen.has(prediction_id))
        if (wanted.length > 0) yield wanted
        if (files.length > 1) for (const { prediction_id } of records) seen.add(prediction_id)
      }
    } finally {
      await reader.close()
    }
  }
}

async function* fileRecords(reader: ArrayFileReader, datasetName: string): AsyncGenerator<StoredRecord[]> {
  const replaced = await replacedRows(reader)
  for await (const { block, firstRow } of reader.blocks()) {
    const rows = Array.from({ length: block[0]?.rows ?? 0 }, (_, row) => row).filter((row) => !replaced.has(firstRow + row))
    yield blockRecords(block, rows).filter((record) => record.dataset_name === datasetName)
  }
}

const arrayRow = (record: StoredRecord): ArrayRow => {
  const { prediction_id, y_true, y_pred, y_proba, sample_indices, weights } = record
  const stored = record.y_proba_shape === null ? null : Array.from(record.y_proba_shape.values)
  const shape = probaShape(stored, y_proba?.values.length ?? null, y_true?.values.length ?? null)
  return { prediction_id, y_true, y_pred, y_proba, y_proba_shape: shape, sample_indices, weights }
}

/** A file that was removed since it was listed has nothing to say. */
export const openUnlessGone = async (folder: ArrayFolder, name: string, engine: LazyEngine): Promise<ArrayFileReader | null> => {
  try {
    return await folder.open(name, engine)
  } catch (error) {
    if (isStorageError(error, 'arrays_missing')) return null
    throw error
  }
}
