import type { StorageStatus } from '@nirs-workspace/types'
import * as z from 'zod'
import { indexArrays } from '../catalog/array-index.ts'
import { indexTable } from '../catalog/copy-metadata.ts'
import { detach } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { systemCode } from '../errors.ts'
import { findProof } from '../migration/proof-file.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { copySqlite } from '../sqlite/copy-sqlite.ts'
import { hasArraysFolder, listArrayFiles } from './array-files.ts'
import { backupProblem } from './backup-problem.ts'
import { liveStatus } from './live-status.ts'
import { withAttachedStore } from './open-store.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'
import { storageMode } from './storage-mode.ts'
import { type AttachedStore, countRows } from './store-facts.ts'
import { writtenBy } from './written-by.ts'

export interface DetectOptions {
  /** The workspace's store.duckdb when the caller has it attached already; it must not be attached twice. */
  attached?: { engine: Engine; store: AttachedStore } | undefined
}

/**
 * The state of a workspace, from its store: attached read-only for a few milliseconds. Throws `store_locked` when another process has it
 * open for writing; what a cached catalog knows is then the caller's to show (`lastKnownStatus`).
 */
export const detectStorage = (resolved: ResolvedWorkspace, options: DetectOptions = {}): Promise<StorageStatus> => {
  const { attached } = options
  if (attached !== undefined) return ofStore(resolved, attached.store)
  return withEngine({}, async (engine) => {
    if (resolved.sqlite !== null) return ofSqlite(engine, resolved, resolved.sqlite)
    if (resolved.duckdb !== null) return withAttachedStore(engine, resolved.duckdb, 'store', (store) => ofStore(resolved, store))
    return describeStorage(resolved, null, { lost: 0, tableRows: 0, predictions: 0 })
  })
}

/** A status from what was counted; everything that needs no store is looked at anew. */
export const describeStorage = async (
  resolved: ResolvedWorkspace,
  store: AttachedStore | null,
  counted: { lost: number; tableRows: number; predictions: number },
): Promise<StorageStatus> => {
  const folder = await hasArraysFolder(resolved)
  const hasTable = store?.tables.has('prediction_arrays') === true
  const storage_mode = storageMode({
    ...counted,
    kind: resolved.kind,
    isSqlite: resolved.sqlite !== null,
    hasTable,
    hasArraysFolder: folder,
    arrayFiles: (await listArrayFiles(resolved)).length,
  })
  const migrated = hasTable ? undefined : await migrationOf(resolved)
  return {
    storage_mode,
    has_prediction_arrays_table: hasTable,
    has_arrays_directory: folder,
    migration_needed: storage_mode === 'legacy' || storage_mode === 'mid_migration',
    rescue_needed: storage_mode === 'lost_arrays',
    written_by: migrated?.from ?? (store === null ? null : writtenBy(store)),
    ...(migrated === undefined ? {} : { migrated }),
    locked_by: null,
    ...(await liveStatus(resolved)),
  }
}

/** What a proof of ours says of the store as it is. One that nobody may read says nothing. */
const migrationOf = async (resolved: ResolvedWorkspace): Promise<StorageStatus['migrated']> => {
  if (resolved.duckdb === null || resolved.sqlite !== null) return undefined
  const found = await findProof(layoutOf(resolved.root)).catch((error: unknown) => {
    if (systemCode(error) === undefined) throw error
    return null
  })
  return found === null ? undefined : { from: found.proof.original.release ?? null }
}

const ofStore = async (resolved: ResolvedWorkspace, store: AttachedStore): Promise<StorageStatus> =>
  describeStorage(resolved, store, {
    lost: 0,
    tableRows: await countRows(store, 'prediction_arrays'),
    predictions: await countRows(store, 'predictions'),
  })

const ofSqlite = async (engine: Engine, resolved: ResolvedWorkspace, path: string): Promise<StorageStatus> => {
  const store = await copySqlite(path, {
    engine,
    alias: 'store',
    file: null,
    only: { predictions: ['prediction_id'], chains: ['chain_id'] },
  })
  try {
    const predictions = await countRows(store, 'predictions')
    return await describeStorage(resolved, store, { lost: await countLost(engine, resolved), tableRows: 0, predictions })
  } finally {
    await detach(engine, 'store')
  }
}

/** Predictions without a Parquet row that store.duckdb.bak has arrays of; 0 when the backup cannot be read. */
const countLost = async (engine: Engine, resolved: ResolvedWorkspace): Promise<number> => {
  if (resolved.bak === null) return 0
  await indexArrays(engine, resolved)
  try {
    await withAttachedStore(engine, resolved.bak, 'bak', (store) => indexTable(engine, store))
  } catch (error) {
    backupProblem(error)
    return 0
  }
  const sql = `SELECT count(*) AS n FROM store.main.predictions
    WHERE prediction_id IN (SELECT prediction_id FROM table_ids) AND prediction_id NOT IN (SELECT prediction_id FROM array_places)`
  return (await engine.one(z.object({ n: z.number() }), sql)).n
}
