import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrateStatus, MigrationReport } from '@nirs-workspace/types'
import { findCatalog } from '../catalog/find-catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { readCatalogMeta } from '../catalog/read-info.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, type StorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import type { LookOptions } from '../workspace/inspect-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { countRows } from '../workspace/store-facts.ts'
import { estimateSeconds, measureArrays, measureSample, measureSpace, spreadStretches } from './measure-arrays.ts'
import { storeSizes } from './plan-migration.ts'
import { findProof } from './proof-file.ts'
import { type SourceTables, sourceAlias } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'
import { layoutOf } from './workspace-layout.ts'

/**
 * Where a workspace stands with its migration, read from the store, the proof and the backup. Cheap, and changes nothing. Throws
 * `store_locked` when another process has the store open for writing; with `lastWhenLocked`, what the last catalog knew is told then, if there
 * is one, without estimates.
 */
export const migrateStatus = async (path: string, options: LookOptions = {}): Promise<Omit<MigrateStatus, 'running_job_id'>> => {
  const workspace = await resolveWorkspace(path)
  const found = await findProof(layoutOf(workspace.root))
  const state = await readState(workspace, options)
  const backup = found === null ? null : await backupOf(workspace.root, found.proof.original.path)
  const store = workspace.duckdb === null ? { bytes: 0, walBytes: 0 } : await storeSizes({ ...workspace, duckdb: workspace.duckdb })
  return {
    migration_needed: state.migration_needed,
    storage_mode: state.storage_mode,
    legacy_row_count: state.rows,
    estimated_duration_seconds: state.estimate?.seconds ?? null,
    store_bytes: store.bytes + store.walBytes,
    bytes_estimated: state.estimate?.bytes ?? null,
    can_roll_back: backup !== null,
    backup_path: backup?.path ?? null,
    backup_wal_path: backup?.walPath ?? null,
    backup_bytes: backup?.bytes ?? null,
    proof_path: found?.path ?? null,
    last_report: found?.proof.report ?? null,
    locked_by: state.locked_by,
  }
}

/** What the last migration that was not rolled back has reported; null without one. Needs no store. */
export const lastMigrationReport = async (path: string): Promise<MigrationReport | null> =>
  (await findProof(layoutOf((await resolveWorkspace(path)).root)))?.proof.report ?? null

interface State extends Pick<MigrateStatus, 'migration_needed' | 'storage_mode' | 'locked_by'> {
  /** Rows of the legacy table; null when there is no such table. */
  readonly rows: number | null
  readonly estimate: { seconds: number; bytes: number } | null
}

const readState = async (workspace: ResolvedWorkspace, options: LookOptions): Promise<State> => {
  const { duckdb, sqlite } = workspace
  if (duckdb === null || sqlite !== null) return { ...(await detectStorage(workspace)), rows: null, estimate: null }
  try {
    return await withEngine({ threads: 1 }, (engine) =>
      withAttachedStore(engine, duckdb, sourceAlias, async (store) => {
        const status = await detectStorage(workspace, { attached: { engine, store } })
        const rows = store.tables.has(arraysTable) ? await countRows(store, arraysTable) : null
        if (rows === null || !status.migration_needed) return { ...status, rows, estimate: null }
        return { ...status, rows, estimate: await estimate(engine, workspace, duckdb, await attachedTables(engine, sourceAlias), rows) }
      }),
    )
  } catch (error) {
    if (!isStorageError(error, 'store_locked')) throw error
    return lastState(workspace, options, error)
  }
}

const lastState = async (workspace: ResolvedWorkspace, options: LookOptions, locked: StorageError): Promise<State> => {
  const { last } = await findCatalog(workspace, options)
  if (options.lastWhenLocked !== true || last === undefined) throw locked
  const catalog = await openCatalog(last)
  try {
    const { storage_status, table_rows } = await readCatalogMeta(catalog.engine)
    const { migration_needed, storage_mode } = storage_status
    return { migration_needed, storage_mode, locked_by: locked.fields.locked_by ?? null, rows: table_rows, estimate: null }
  } finally {
    catalog.close()
  }
}

/** From some stretches of the table and a sample that is really written, to the temporary folder: the same figures as the plan's, sooner. */
const estimate = async (engine: Engine, workspace: ResolvedWorkspace, duckdb: string, tables: SourceTables, rows: number) => {
  const sizes = await measureArrays(engine, tables, rows, spreadStretches(rows))
  const sample = await measureSample(engine, tables, sizes, rows)
  const storeBytes = (await stat(duckdb)).size
  const space = await measureSpace(workspace.root, sizes, sample)
  return { seconds: estimateSeconds(sizes.bytes, storeBytes, sample.bytesPerSecond), bytes: space.parquet + space.store }
}

const backupOf = async (root: string, name: string): Promise<{ path: string; walPath: string | null; bytes: number } | null> => {
  const path = join(root, name)
  if (!(await exists(path))) return null
  const walPath = (await exists(`${path}.wal`)) ? `${path}.wal` : null
  const walBytes = walPath === null ? 0 : (await stat(walPath)).size
  return { path, walPath, bytes: (await stat(path)).size + walBytes }
}
