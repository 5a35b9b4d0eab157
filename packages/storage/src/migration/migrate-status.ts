import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrateStatus } from '@nirs-workspace/types'
import * as z from 'zod'
import { attachedTables } from '../engine/attached-tables.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { hasArraysFolder } from '../workspace/array-files.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { estimateSeconds, measureArrays, measureSample, measureSpace, spreadStretches } from './measure-arrays.ts'
import { storeSizes } from './plan-migration.ts'
import { findProof } from './proof-file.ts'
import { type SourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'
import { layoutOf } from './workspace-layout.ts'

/** Where a workspace stands with its migration, read from the store, the proof and the backup. Cheap, and changes nothing. */
export const migrateStatus = async (path: string): Promise<Omit<MigrateStatus, 'running_job_id'>> => {
  const workspace = await resolveWorkspace(path)
  const found = await findProof(layoutOf(workspace.root))
  const legacy = await legacyState(workspace)
  const backup = found === null ? null : await backupOf(workspace.root, found.proof.original.path)
  const store = workspace.duckdb === null ? { bytes: 0, walBytes: 0 } : await storeSizes({ ...workspace, duckdb: workspace.duckdb })
  const isNeeded = legacy !== null && legacy.predictions + legacy.rows > 0
  return {
    migration_needed: isNeeded,
    storage_mode: await modeOf(workspace, legacy, found !== null),
    legacy_row_count: legacy?.rows ?? null,
    estimated_duration_seconds: isNeeded ? legacy.estimate.seconds : null,
    store_bytes: store.bytes + store.walBytes,
    bytes_estimated: isNeeded ? legacy.estimate.bytes : null,
    can_roll_back: backup !== null,
    backup_path: backup?.path ?? null,
    backup_wal_path: backup?.walPath ?? null,
    backup_bytes: backup?.bytes ?? null,
    proof_path: found?.path ?? null,
    last_report: found?.proof.report ?? null,
  }
}

type LegacyState = { rows: number; predictions: number; estimate: { seconds: number; bytes: number } } | null

/** Rows of the legacy table; null when there is no such table, or while a writer holds the store. */
const legacyState = async (workspace: ResolvedWorkspace): Promise<LegacyState> => {
  const { duckdb } = workspace
  if (duckdb === null) return null
  try {
    return await withEngine({ threads: 1 }, (engine) =>
      withAttachedStore(engine, duckdb, sourceAlias, async () => {
        const tables = await attachedTables(engine, sourceAlias)
        if (!tables.has(arraysTable)) return null
        const counts = await engine.one(
          z.object({ rows: z.number(), predictions: z.number() }),
          `SELECT (SELECT count(*) FROM ${sourceTable(arraysTable)}) AS rows, (SELECT count(*) FROM ${sourceTable('predictions')}) AS predictions`,
        )
        return { ...counts, estimate: await estimate(engine, workspace, duckdb, tables, counts.rows) }
      }),
    )
  } catch (error) {
    if (isStorageError(error, 'store_locked')) return null
    throw error
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

const modeOf = async (workspace: ResolvedWorkspace, legacy: LegacyState, isMigrated: boolean): Promise<string> => {
  if (workspace.kind === 'portable') return 'portable'
  if (workspace.sqlite !== null) return 'sqlite'
  if (legacy !== null && legacy.rows + legacy.predictions > 0) return (await hasArraysFolder(workspace)) ? 'mid_migration' : 'legacy'
  return isMigrated || (await hasArraysFolder(workspace)) ? 'migrated' : 'new'
}

const backupOf = async (root: string, name: string): Promise<{ path: string; walPath: string | null; bytes: number } | null> => {
  const path = join(root, name)
  if (!(await exists(path))) return null
  const walPath = (await exists(`${path}.wal`)) ? `${path}.wal` : null
  const walBytes = walPath === null ? 0 : (await stat(walPath)).size
  return { path, walPath, bytes: (await stat(path)).size + walBytes }
}
