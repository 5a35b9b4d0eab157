import type { SpaceUsage, WorkspaceStats } from '@nirs-workspace/types'
import * as z from 'zod'
import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import type { Engine } from '../engine/open-engine.ts'
import { storeHolder } from '../files/foreign-lock.ts'
import { type FolderUsage, measureFolder, type UsageCategory, usageCategories } from './folder-usage.ts'
import { type LookOptions, listDatasets, withFreshCatalog } from './inspect-workspace.ts'
import { look } from './look-at.ts'
import { resolveWorkspace } from './resolve-workspace.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

const labels: Record<UsageCategory, string> = {
  store: 'Store',
  arrays: 'Prediction arrays',
  artifacts: 'Artifacts',
  backups: 'Backups',
  trash: 'Trash',
  logs: 'Logs',
  other: 'Other',
}

/** Where the space of a workspace goes, and the rows of its tables. Throws what `inspectWorkspace` throws. */
export const workspaceStats = async (path: string, options: LookOptions = {}): Promise<WorkspaceStats> => {
  const resolved = await resolveWorkspace(path)
  const usage = await measureFolder(resolved)
  return withFreshCatalog(resolved, options, async ({ engine }, meta, lock): Promise<WorkspaceStats> => {
    const { arrays: _, ...tables } = meta.counts
    return {
      storage_mode: meta.storage_status.storage_mode,
      total_bytes: usageCategories.reduce((sum, category) => sum + usage[category].bytes, 0),
      duckdb_size_bytes: await duckdbBytes(resolved),
      parquet_arrays_size_bytes: usage.arrays.bytes,
      artifacts_size_bytes: usage.artifacts.bytes,
      backups_size_bytes: usage.backups.bytes,
      trash_size_bytes: usage.trash.bytes,
      reclaimable_bytes: meta.free_bytes + (await compactableBytes(engine)),
      space_usage: spaceUsage(usage),
      tables: meta.table_rows === null ? tables : { ...tables, prediction_arrays: meta.table_rows },
      datasets: await listDatasets(engine),
      unreadable_files: await listUnreadableFiles(engine),
      as_of: meta.built_at,
      locked_by: lock?.fields.locked_by ?? (await storeHolder(resolved.duckdb)),
    }
  })
}

const duckdbBytes = async ({ duckdb }: ResolvedWorkspace): Promise<number> =>
  duckdb === null ? 0 : ((await look(duckdb))?.size ?? 0) + ((await look(`${duckdb}.wal`))?.size ?? 0)

const spaceUsage = (usage: FolderUsage): SpaceUsage[] =>
  usageCategories.map((category) => ({ category: labels[category], ...usage[category] }))

/** The share of the Parquet files that removed rows and all but the last of duplicates take. */
const compactableBytes = async (engine: Engine): Promise<number> => {
  const { bytes } = await engine.one(
    z.object({ bytes: z.number() }),
    `SELECT coalesce(round(sum(f.bytes * dropped / f."rows")), 0)::BIGINT AS bytes FROM (
       SELECT path, sum(CASE kind WHEN 'duplicate' THEN copies - 1 ELSE copies END) AS dropped
       FROM catalog.array_oddities WHERE kind IN ('duplicate', 'tombstoned') GROUP BY path)
     JOIN catalog.array_files f USING (path) WHERE f."rows" > 0`,
  )
  return bytes
}
