import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredRecord } from '../array-record.ts'
import { ArrayStore } from '../array-store.ts'
import { bitsOf, madeRecord, madeRecords } from './made-records.ts'

/** A workspace of one file with two datasets, a replaced row and a removed one. */
export const faultWorkspace = async (): Promise<{ path: string } & AsyncDisposable> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'nirs-array-faults-')))
  const root = join(path, 'original')
  await mkdir(root)
  const store = ArrayStore.open(root)
  await store.saveBatch([...madeRecords(6, { dataset_name: 'a b' }), ...madeRecords(4, { dataset_name: 'a.b' }, 'q')])
  await store.saveBatch([madeRecord('p-1', { dataset_name: 'a b', y_pred: [1] }), madeRecord('p-6', { dataset_name: 'a b' })])
  await store.deleteBatch(new Set(['p-2', 'p-3']))
  await store.copyRows(new Set(['p-4', 'q-1']), join(root, 'kept.parquet'))
  await store.saveBatch([madeRecord('p-4', { dataset_name: 'a b', y_pred: [0] })])
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Every change to the arrays of such a workspace. */
export const faultJobs: Record<string, (root: string) => Promise<unknown>> = {
  save: (root) =>
    ArrayStore.open(root).saveBatch([
      madeRecord('p-0', { dataset_name: 'a b', y_pred: [7] }),
      madeRecord('p-2', { dataset_name: 'a b' }),
      madeRecord('new', { dataset_name: 'a b' }),
    ]),
  'save-first': (root) => ArrayStore.open(root).saveBatch(madeRecords(3, { dataset_name: 'corn' }, 'c')),
  'save-column': (root) => ArrayStore.open(root).saveBatch([madeRecord('new', { dataset_name: 'a b', extra: { X: [1] } })]),
  // Both removed ids, in a dataset of the same file and in another.
  'save-elsewhere': (root) =>
    ArrayStore.open(root).saveBatch([madeRecord('p-2', { dataset_name: 'a.b' }), madeRecord('p-3', { dataset_name: 'corn' })]),
  delete: (root) => ArrayStore.open(root).deleteBatch(new Set(['p-0', 'q-0'])),
  restore: (root) => ArrayStore.open(root).restoreBatch(new Set(['p-2'])),
  'restore-all': (root) => ArrayStore.open(root).restoreBatch(new Set(['p-2', 'p-3'])),
  'delete-dataset': (root) => ArrayStore.open(root).deleteDataset('a.b'),
  compact: (root) => ArrayStore.open(root).compact(),
  'append-file': (root) => ArrayStore.open(root).appendFile(join(root, 'kept.parquet')),
  writer: async (root) => {
    const writer = ArrayStore.open(root).openWriter()
    for (const record of madeRecords(3, { dataset_name: 'a b' }, 'w')) await writer.add(record)
    await writer.close()
  },
}

/** What the arrays of a workspace say, whatever the bytes of its files are; `removed` rows too when they are asked for. */
export const stateOf = async (root: string): Promise<Record<string, string>> => {
  const store = ArrayStore.open(root)
  const rows: Record<string, string> = {}
  for (const dataset of await store.listDatasets()) {
    for await (const records of store.loadDataset(dataset))
      for (const record of records) rows[`${dataset}/${record.prediction_id}`] = textOf(record)
  }
  const { corrupt, tombstones_corrupt } = await store.integrityCheck({ deep: true })
  if (corrupt.length > 0 || tombstones_corrupt) rows.damage = JSON.stringify(corrupt)
  return Object.fromEntries(Object.entries(rows).sort())
}

const textOf = (record: StoredRecord): string =>
  JSON.stringify([record.model_name, record.val_score, bitsOf(record.y_true), bitsOf(record.y_pred), bitsOf(record.sample_indices)])

/** Whether every row of a state is as in the one before or as in the one after, and nothing is there that is in neither. */
export const liesBetween = (found: Record<string, string>, before: Record<string, string>, after: Record<string, string>): boolean =>
  [...new Set([...Object.keys(found), ...Object.keys(before), ...Object.keys(after)])].every(
    (key) => found[key] === before[key] || found[key] === after[key],
  )
