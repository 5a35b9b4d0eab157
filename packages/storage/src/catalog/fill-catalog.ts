import { join } from 'node:path'
import type { StorageStatus, WorkspaceCounts } from '@nirs-workspace/types'
import * as z from 'zod'
import { detach } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { copySqlite } from '../sqlite/copy-sqlite.ts'
import { backupProblem } from '../workspace/backup-problem.ts'
import { describeStorage } from '../workspace/detect-storage.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { type AttachedStore, countRows, freeBytes } from '../workspace/store-facts.ts'
import type { ArrayIndex } from './array-index.ts'
import { type ExpectedDataset, expectInUnreadableFiles } from './array-oddities.ts'
import { copyTables, fillPredictions, indexTable, predictionsFrom, storeRelation } from './copy-metadata.ts'
import { portableRowColumns, readPortableRows } from './portable-predictions.ts'

/** What a source told besides its rows. */
export interface Source {
  counts: Omit<WorkspaceCounts, 'arrays'>
  status: StorageStatus
  /** Whether `table_ids` are of the store itself. */
  ownTable: boolean
  backupError: string
  userVersion: number
  /** Null without a table prediction_arrays. */
  tableRows: number | null
  freeBytes: number
}

/**
 * Copies the metadata of a workspace, whichever generation it is of, into the tables of the attached catalog; the array index must be there.
 * `own` is a folder for a copy of store.sqlite.
 */
export const fillFromSource = (engine: Engine, resolved: ResolvedWorkspace, own: string, index: ArrayIndex): Promise<Source> => {
  if (resolved.sqlite !== null) return fillFromSqlite(engine, resolved, resolved.sqlite, own, index)
  if (resolved.duckdb !== null) return fillFromDuckdb(engine, resolved, resolved.duckdb, index)
  return fillFromFiles(engine, resolved, index)
}

const fillFromDuckdb = (engine: Engine, resolved: ResolvedWorkspace, path: string, index: ArrayIndex): Promise<Source> =>
  withAttachedStore(engine, path, 'store', async (store) => {
    refuseStranger(store, path)
    await indexTable(engine, store)
    const tableRows = store.tables.has('prediction_arrays') ? await countRows(store, 'prediction_arrays') : null
    return fillFromStore(resolved, store, index, 'table', { tableRows, backupError: '', freeBytes: await freeBytes(store) })
  })

const fillFromSqlite = async (
  engine: Engine,
  resolved: ResolvedWorkspace,
  path: string,
  own: string,
  index: ArrayIndex,
): Promise<Source> => {
  const backupError = await indexBackup(engine, resolved)
  const store = await copySqlite(path, { engine, alias: 'store', file: join(own, 'copy.duckdb') })
  try {
    refuseStranger(store, path)
    return await fillFromStore(resolved, store, index, 'bak', { tableRows: null, backupError, freeBytes: 0 })
  } finally {
    await detach(engine, 'store')
  }
}

/** Ids that the backup of an upgraded workspace has arrays of; answers why it cannot be read, '' when it can. */
const indexBackup = async (engine: Engine, resolved: ResolvedWorkspace): Promise<string> => {
  await indexTable(engine, null)
  if (resolved.bak === null) return ''
  try {
    await withAttachedStore(engine, resolved.bak, 'bak', (store) => indexTable(engine, store))
    return ''
  } catch (error) {
    return backupProblem(error)
  }
}

const fillFromStore = async (
  resolved: ResolvedWorkspace,
  store: AttachedStore,
  index: ArrayIndex,
  tableName: 'table' | 'bak',
  about: Pick<Source, 'tableRows' | 'backupError' | 'freeBytes'>,
): Promise<Source> => {
  const { engine } = store
  const counts = await copyTables(store)
  const available = store.tables.get('predictions')
  if (available !== undefined) {
    const relation = storeRelation(store, 'predictions')
    // An empty table of arrays and no file at all: a legacy store that never had any, or has lost them from its table.
    const inFiles = about.tableRows === null || (about.tableRows === 0 && index.files.length > 0)
    await expectInUnreadableFiles(engine, index, await datasetsOf(engine, relation, available, inFiles))
    await fillPredictions(engine, predictionsFrom(relation, available), tableName)
  }
  const lost = tableName === 'bak' ? await countSource(engine, 'bak') : 0
  const status = await describeStorage(resolved, store, { lost, tableRows: about.tableRows ?? 0, predictions: counts.predictions })
  return { ...about, counts, status, ownTable: tableName === 'table', userVersion: store.sqlite?.userVersion ?? 0 }
}

const fillFromFiles = async (engine: Engine, resolved: ResolvedWorkspace, index: ArrayIndex): Promise<Source> => {
  await indexTable(engine, null)
  await readPortableRows(engine, resolved, index)
  await expectInUnreadableFiles(engine, index, [])
  await fillPredictions(engine, predictionsFrom('portable_rows', portableRowColumns), 'table')
  const { predictions } = await countPredictions(engine)
  const counts = { runs: 0, pipelines: 0, chains: 0, predictions, artifacts: 0, logs: 0, projects: 0 }
  const status = await describeStorage(resolved, null, { lost: 0, tableRows: 0, predictions })
  return { counts, status, ownTable: false, backupError: '', userVersion: 0, tableRows: null, freeBytes: 0 }
}

const refuseStranger = (store: AttachedStore, path: string): void => {
  if (store.tables.size === 0 || (store.tables.has('runs') && store.tables.has('predictions'))) return
  throw new StorageError('not_a_workspace', `${path} holds no runs and predictions of nirs4all. Nothing was changed.`, { path })
}

/** With `inFiles`, a dataset of which any prediction has samples has a file; one of predictions that are scores alone needs none. */
const datasetsOf = async (
  engine: Engine,
  relation: string,
  available: ReadonlySet<string>,
  inFiles: boolean,
): Promise<ExpectedDataset[]> => {
  if (!available.has('dataset_name')) return []
  const hasSamples = available.has('n_samples') ? 'coalesce(max(n_samples), 0) > 0' : 'true'
  return engine.rows(
    z.object({ name: z.string(), hasFile: z.boolean() }),
    `SELECT coalesce(dataset_name::VARCHAR, '') AS name, $inFiles AND ${hasSamples} AS "hasFile" FROM ${relation} GROUP BY 1`,
    { inFiles },
  )
}

export const countPredictions = (engine: Engine): Promise<{ predictions: number; arrays: number }> =>
  engine.one(
    z.object({ predictions: z.number(), arrays: z.number() }),
    'SELECT count(*) AS predictions, count(*) FILTER (has_arrays) AS arrays FROM catalog.predictions',
  )

const countSource = async (engine: Engine, source: string): Promise<number> => {
  const sql = 'SELECT count(*) AS n FROM catalog.predictions WHERE array_source = $source'
  return (await engine.one(z.object({ n: z.number() }), sql, { source })).n
}
