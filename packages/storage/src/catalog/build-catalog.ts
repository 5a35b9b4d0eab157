import { join } from 'node:path'
import type { StorageStatus, WorkspaceCounts } from '@nirs-workspace/types'
import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { copySqlite } from '../sqlite/copy-sqlite.ts'
import { describeStorage } from '../workspace/detect-storage.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { type AttachedStore, countRows } from '../workspace/store-facts.ts'
import { type ArrayIndex, indexArrays } from './array-index.ts'
import { expectInDamagedFiles, fillArrayTables } from './array-oddities.ts'
import { publish, tidyCatalogs, withBuildFolder } from './build-folder.ts'
import { type CatalogFile, type CatalogOptions, catalogFolder, catalogName, workspaceKey } from './catalog-file.ts'
import { catalogDefinition } from './catalog-schema.ts'
import { copyTables, fillPredictions, indexTable, predictionsFrom, storeRelation } from './copy-metadata.ts'
import { portableRowColumns, readPortableRows } from './portable-predictions.ts'

export interface CatalogProgress {
  step: 'arrays' | 'metadata' | 'finish'
  /** 0 to 1. */
  fraction: number
}

export interface BuildOptions extends CatalogOptions {
  onProgress?: ((progress: CatalogProgress) => void) | undefined
}

/**
 * Derives the catalog of a workspace and puts it in the cache folder. The workspace is only read; its store is attached while the
 * metadata is copied and no longer. Meant for a short-lived process: a damaged store can take it down.
 * Throws `store_locked`, `store_unreadable`, `store_too_new`, `store_unsafe`, `not_a_workspace`, `write_failed`, `no_space`.
 */
export const buildCatalog = async (resolved: ResolvedWorkspace, options: BuildOptions = {}): Promise<CatalogFile> => {
  const folder = catalogFolder(options)
  // Before anything is read: a change after this moment gives another fingerprint and with it a new catalog.
  const fingerprint = await fingerprintWorkspace(resolved)
  const built_at = new Date().toISOString()
  const name = catalogName(workspaceKey(resolved), fingerprint)
  const path = join(folder, name)
  await withBuildFolder(folder, async (own) => {
    const made = join(own, 'catalog.duckdb')
    await withEngine({ memoryLimit: '800MB', spillFolder: join(own, 'spill') }, async (engine) => {
      await attachWritable(engine, made, 'catalog')
      for (const statement of catalogDefinition('catalog')) await engine.run(statement)
      await fill(engine, resolved, own, { fingerprint, built_at, root: resolved.root }, options)
      await engine.run('CHECKPOINT catalog')
      await detach(engine, 'catalog')
    })
    await publish(made, path)
  })
  await tidyCatalogs(folder, workspaceKey(resolved), name)
  return { path, fingerprint, built_at }
}

const fill = async (engine: Engine, resolved: ResolvedWorkspace, own: string, stamps: Record<string, string>, options: BuildOptions) => {
  options.onProgress?.({ step: 'arrays', fraction: 0 })
  const index = await indexArrays(engine, resolved)
  options.onProgress?.({ step: 'metadata', fraction: 0.3 })
  const source = await fillFromSource(engine, resolved, own, index)
  options.onProgress?.({ step: 'finish', fraction: 0.8 })
  await fillArrayTables(engine, index, resolved.kind === 'portable', source.ownTable)
  const counts: WorkspaceCounts = { ...source.counts, ...(await countPredictions(engine)) }
  await writeMeta(engine, {
    ...stamps,
    storage_status: JSON.stringify(source.status),
    counts: JSON.stringify(counts),
    tombstones: String(index.tombstones),
    tombstones_corrupt: String(index.tombstonesCorrupt),
    backup_error: source.backupError,
    user_version: String(source.userVersion),
  })
}

interface Source {
  counts: Omit<WorkspaceCounts, 'arrays'>
  status: StorageStatus
  /** Whether `table_ids` are of the store itself. */
  ownTable: boolean
  backupError: string
  userVersion: number
}

const fillFromSource = (engine: Engine, resolved: ResolvedWorkspace, own: string, index: ArrayIndex): Promise<Source> => {
  if (resolved.sqlite !== null) return fillFromSqlite(engine, resolved, resolved.sqlite, own, index)
  if (resolved.duckdb !== null) return fillFromDuckdb(engine, resolved, resolved.duckdb, index)
  return fillFromFiles(engine, resolved, index)
}

const fillFromDuckdb = (engine: Engine, resolved: ResolvedWorkspace, path: string, index: ArrayIndex): Promise<Source> =>
  withAttachedStore(engine, path, 'store', async (store) => {
    refuseStranger(store, path)
    await indexTable(engine, store)
    const tableRows = await countRows(store, 'prediction_arrays')
    return fillFromStore(resolved, store, index, 'table', { tableRows, backupError: '' })
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
    return await fillFromStore(resolved, store, index, 'bak', { tableRows: 0, backupError })
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
    if (isStorageError(error, 'store_unreadable', 'store_unsafe', 'store_too_new')) return error.message
    throw error
  }
}

const fillFromStore = async (
  resolved: ResolvedWorkspace,
  store: AttachedStore,
  index: ArrayIndex,
  tableName: 'table' | 'bak',
  about: { tableRows: number; backupError: string },
): Promise<Source> => {
  const { engine } = store
  const counts = await copyTables(store)
  const available = store.tables.get('predictions')
  if (available !== undefined) {
    const relation = storeRelation(store, 'predictions')
    await expectInDamagedFiles(engine, index, await datasetsOf(engine, relation, available))
    await fillPredictions(engine, predictionsFrom(relation, available), tableName)
  }
  const lost = tableName === 'bak' ? await countSource(engine, 'bak') : 0
  const status = await describeStorage(resolved, store, { lost, tableRows: about.tableRows, predictions: counts.predictions })
  return { counts, status, ownTable: tableName === 'table', backupError: about.backupError, userVersion: store.sqlite?.userVersion ?? 0 }
}

const fillFromFiles = async (engine: Engine, resolved: ResolvedWorkspace, index: ArrayIndex): Promise<Source> => {
  await indexTable(engine, null)
  await readPortableRows(engine, resolved, index)
  await expectInDamagedFiles(engine, index, [])
  await fillPredictions(engine, predictionsFrom('portable_rows', portableRowColumns), 'table')
  const { predictions } = await countPredictions(engine)
  const counts = { runs: 0, pipelines: 0, chains: 0, predictions, artifacts: 0, logs: 0, projects: 0 }
  const status = await describeStorage(resolved, null, { lost: 0, tableRows: 0, predictions })
  return { counts, status, ownTable: false, backupError: '', userVersion: 0 }
}

const refuseStranger = (store: AttachedStore, path: string): void => {
  if (store.tables.size === 0 || (store.tables.has('runs') && store.tables.has('predictions'))) return
  throw new StorageError('not_a_workspace', `${path} holds no runs and predictions of nirs4all. Nothing was changed.`, { path })
}

const datasetsOf = async (engine: Engine, relation: string, available: ReadonlySet<string>): Promise<string[]> => {
  if (!available.has('dataset_name')) return []
  const rows = await engine.rows(
    z.object({ name: z.string().nullable() }),
    `SELECT DISTINCT dataset_name::VARCHAR AS name FROM ${relation}`,
  )
  return rows.map((row) => row.name ?? '')
}

const countPredictions = (engine: Engine): Promise<{ predictions: number; arrays: number }> =>
  engine.one(
    z.object({ predictions: z.number(), arrays: z.number() }),
    'SELECT count(*) AS predictions, count(*) FILTER (has_arrays) AS arrays FROM catalog.predictions',
  )

const countSource = async (engine: Engine, source: string): Promise<number> => {
  const sql = 'SELECT count(*) AS n FROM catalog.predictions WHERE array_source = $source'
  return (await engine.one(z.object({ n: z.number() }), sql, { source })).n
}

const writeMeta = (engine: Engine, meta: Record<string, string>): Promise<void> =>
  appendColumns(engine, { alias: 'catalog', table: 'meta' }, [
    { type: 'varchar', values: Object.keys(meta) },
    { type: 'varchar', values: Object.values(meta) },
  ])
