import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrateStatus } from '@nirs-workspace/types'
import * as z from 'zod'
import { withEngine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { hasArraysFolder } from '../workspace/array-files.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { findProof } from './proof-file.ts'
import { readSourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import { arraysTable } from './store-schema.ts'
import { layoutOf } from './workspace-layout.ts'

/** Where a workspace stands with its migration, read from the store, the proof and the backup. Cheap, and changes nothing. */
export const migrateStatus = async (path: string): Promise<Omit<MigrateStatus, 'running_job_id'>> => {
  const workspace = await resolveWorkspace(path)
  const found = await findProof(layoutOf(workspace.root))
  const legacy = await legacyState(workspace)
  const backup = found === null ? null : await backupOf(workspace.root, found.proof.original.path)
  const storeBytes = workspace.duckdb === null ? 0 : (await stat(workspace.duckdb)).size
  const isNeeded = legacy !== null && legacy.predictions + legacy.rows > 0
  return {
    migration_needed: isNeeded,
    storage_mode: await modeOf(workspace, legacy, found !== null),
    legacy_row_count: legacy?.rows ?? null,
    estimated_duration_seconds: isNeeded ? 1 + storeBytes / 40e6 : null,
    store_bytes: storeBytes,
    bytes_estimated: isNeeded ? Math.round(storeBytes * 0.5) : null,
    can_roll_back: backup !== null,
    backup_path: backup?.path ?? null,
    backup_bytes: backup?.bytes ?? null,
    proof_path: found?.path ?? null,
    last_report: found?.proof.report ?? null,
  }
}

type LegacyState = { rows: number; predictions: number } | null

/** Rows of the legacy table; null when there is no such table, or while a writer holds the store. */
const legacyState = async (workspace: ResolvedWorkspace): Promise<LegacyState> => {
  const { duckdb } = workspace
  if (duckdb === null) return null
  try {
    return await withEngine({ threads: 1 }, (engine) =>
      withAttachedStore(engine, duckdb, sourceAlias, async () => {
        if (!(await readSourceTables(engine, sourceAlias)).has(arraysTable)) return null
        return engine.one(
          z.object({ rows: z.number(), predictions: z.number() }),
          `SELECT (SELECT count(*) FROM ${sourceTable(arraysTable)}) AS rows, (SELECT count(*) FROM ${sourceTable('predictions')}) AS predictions`,
        )
      }),
    )
  } catch (error) {
    if (isStorageError(error, 'store_locked')) return null
    throw error
  }
}

const modeOf = async (workspace: ResolvedWorkspace, legacy: LegacyState, isMigrated: boolean): Promise<string> => {
  if (workspace.kind === 'portable') return 'portable'
  if (workspace.sqlite !== null) return 'sqlite'
  if (legacy !== null && legacy.rows + legacy.predictions > 0) return (await hasArraysFolder(workspace)) ? 'mid_migration' : 'legacy'
  return isMigrated || (await hasArraysFolder(workspace)) ? 'migrated' : 'new'
}

const backupOf = async (root: string, name: string): Promise<{ path: string; bytes: number } | null> => {
  const path = join(root, name)
  if (!(await exists(path))) return null
  const wal = (await exists(`${path}.wal`)) ? (await stat(`${path}.wal`)).size : 0
  return { path, bytes: (await stat(path)).size + wal }
}
