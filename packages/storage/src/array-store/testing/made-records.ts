import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { elementsOf, type NumberList } from '../../engine/number-list.ts'
import type { ArrayRecord, StoredRecord } from '../array-record.ts'
import { ArrayStore } from '../array-store.ts'

/** A store in a temporary workspace. */
export const temporaryStore = async (): Promise<{ root: string; arrays: string; store: ArrayStore } & AsyncDisposable> => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'nirs-array-store-')))
  return {
    root,
    arrays: join(root, 'arrays'),
    store: ArrayStore.open(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

/** A regression row whose numbers tell which row it is. */
export const madeRecord = (id: string, over: Partial<ArrayRecord> = {}): ArrayRecord => {
  const seed = [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0)
  return {
    prediction_id: id,
    dataset_name: 'wheat',
    model_name: 'PLSRegression',
    fold_id: '0',
    partition: 'val',
    metric: 'rmse',
    val_score: seed / 7,
    task_type: 'regression',
    y_true: [seed, seed / 3, -0, Number.NaN],
    y_pred: Float64Array.of(seed + 0.5, Number.POSITIVE_INFINITY, 0, 1e-300),
    sample_indices: [0, 1, 2, 3],
    ...over,
  }
}

export const madeRecords = (count: number, over: Partial<ArrayRecord> = {}, prefix = 'p'): ArrayRecord[] =>
  Array.from({ length: count }, (_, index) => madeRecord(`${prefix}-${index}`, over))

/** A list as the bits it is made of; null elements as null. */
export const bitsOf = (list: NumberList | null | undefined): (string | null)[] | null => {
  if (list === null || list === undefined) return null
  const bytes = Buffer.from(list.values.buffer, list.values.byteOffset, list.values.byteLength)
  const width = list.values.BYTES_PER_ELEMENT
  return elementsOf(list).map((element, index) => (element === null ? null : bytes.toString('hex', index * width, (index + 1) * width)))
}

/** All rows of a dataset, by id. */
export const loadAll = async (store: ArrayStore, dataset: string): Promise<Map<string, StoredRecord>> => {
  const rows = new Map<string, StoredRecord>()
  for await (const records of store.loadDataset(dataset)) for (const record of records) rows.set(record.prediction_id, record)
  return rows
}
