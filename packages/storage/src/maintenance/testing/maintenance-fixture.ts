import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ArrayStore } from '../../array-store/array-store.ts'
import { attachReadOnly, detach, quotedIdentifier } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { convertStore, sqliteRows } from '../../sqlite/testing/convert-store.ts'
import { type MadePrediction, makeStore } from '../../testing/make-store.ts'
import { describeTables } from '../../workspace/store-facts.ts'

export const storeKinds = ['duckdb', 'sqlite'] as const
export type StoreKind = (typeof storeKinds)[number]

export interface WorkspaceToMake {
  kind: StoreKind
  predictions: readonly MadePrediction[]
  /** Statements to run in the store before it is closed, in DuckDB's words. */
  extra?: readonly string[]
}

/** A migrated workspace in an existing folder: a store, and an array file per dataset. `y: null` makes a prediction without arrays. */
export const makeWorkspace = async (folder: string, { kind, predictions, extra = [] }: WorkspaceToMake): Promise<void> => {
  const old = "UPDATE predictions SET created_at = TIMESTAMP '2026-01-05 08:30:00.25'"
  await makeStore(join(folder, 'store.duckdb'), { release: '0.8.1', predictions, extra: [old, ...extra] })
  if (kind === 'sqlite') await convertStore(folder)
  await mkdir(join(folder, 'arrays'), { recursive: true })
  await saveArrays(folder, predictions)
}

/** A statement that works out the figures of all chains, averages included, as nirs4all does for those that have none. */
export const fillFigures = `UPDATE chains SET cv_val_score = p.val, cv_test_score = p.test, cv_train_score = p.train, cv_fold_count = p.folds
  FROM (SELECT chain_id, avg(val_score) AS val, avg(test_score) AS test, avg(train_score) AS train, count(DISTINCT fold_id) AS folds
    FROM predictions WHERE refit_context IS NULL GROUP BY chain_id) p WHERE chains.chain_id = p.chain_id`

export const saveArrays = async (folder: string, predictions: readonly MadePrediction[]): Promise<void> => {
  const records = predictions
    .filter(({ y }) => y !== null)
    .map(({ id, dataset = 'wheat', fold = '0', partition = 'val', score = 1, y }) => ({
      prediction_id: id,
      dataset_name: dataset,
      model_name: 'PLS',
      fold_id: fold,
      partition,
      metric: 'rmse',
      val_score: score,
      task_type: 'regression',
      y_true: y ?? [1, -0, Number.NaN],
      y_pred: y ?? [1.5, null, 0.1],
      sample_indices: (y ?? [1, 2, 3]).map((_, index) => index + 1),
    }))
  await ArrayStore.open(folder).saveBatch(records)
  await ageArrays(folder)
}

/** Makes the array files older than any grace period. */
export const ageArrays = async (folder: string): Promise<void> => {
  const before = new Date('2026-01-06T00:00:00Z')
  for (const name of await readdir(join(folder, 'arrays'))) await utimes(join(folder, 'arrays', name), before, before)
}

export interface Snapshot {
  readonly tables: Record<string, string[]>
  /** SHA-256 of the arrays of every prediction that has some and is not removed. */
  readonly arrays: Record<string, string>
  readonly models: Record<string, string>
}

/** Everything that a user has in a workspace, to the bit. */
export const snapshot = async (folder: string): Promise<Snapshot> => {
  const names = await readdir(folder)
  const tables = names.includes('store.sqlite') ? sqliteRows(join(folder, 'store.sqlite')) : await duckdbRows(join(folder, 'store.duckdb'))
  return { tables, arrays: await hashArrays(folder), models: await hashModels(join(folder, 'artifacts')) }
}

const duckdbRows = (path: string): Promise<Record<string, string[]>> =>
  withEngine({}, async (engine) => {
    await attachReadOnly(engine, path, 'seen')
    const tables: Record<string, string[]> = {}
    for (const name of [...(await describeTables(engine, 'seen')).keys()].sort()) {
      const rows = await engine.rows(
        z.record(z.string(), z.string().nullable()),
        `SELECT COLUMNS(*)::VARCHAR FROM seen.main.${quotedIdentifier(name)}`,
      )
      tables[name] = rows.map((row) => JSON.stringify(row)).sort()
    }
    await detach(engine, 'seen')
    return tables
  })

const hashArrays = async (folder: string): Promise<Record<string, string>> => {
  const store = ArrayStore.open(folder)
  const hashes: [string, string][] = []
  for (const dataset of await store.listDatasets()) {
    for await (const records of store.loadDataset(dataset)) {
      for (const record of records) {
        const hash = createHash('sha256')
        for (const [column, value] of Object.entries(record)) hash.update(`${column}:${JSON.stringify(value, bitsOf)}`)
        hashes.push([`${dataset}/${record.prediction_id}`, hash.digest('hex')])
      }
    }
  }
  return Object.fromEntries(hashes.sort())
}

/** Numbers by their bits: JSON tells neither NaN from null nor −0 from 0. */
const bitsOf = (_: string, value: unknown): unknown => {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  return typeof value === 'number' ? Buffer.from(new Float64Array([value]).buffer).toString('hex') : value
}

const hashModels = async (folder: string): Promise<Record<string, string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const hashes: Record<string, string> = {}
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name)
    hashes[path.slice(folder.length + 1)] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex')
  }
  return hashes
}
