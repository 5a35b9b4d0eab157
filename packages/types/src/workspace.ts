import * as z from 'zod'
import { LockHolder } from './error.ts'

/** What a path turned out to be; the table of states is in ARCHITECTURE.md. */
export const StorageMode = z.enum(['new', 'legacy', 'mid_migration', 'migrated', 'sqlite', 'lost_arrays', 'portable'])
export type StorageMode = z.infer<typeof StorageMode>

export const Finding = z.object({
  code: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  count: z.number().int(),
  detail: z.string(),
  dataset_name: z.string().optional(),
  row_group: z.number().int().optional(),
  ids: z.array(z.string()).optional(),
})
export type Finding = z.infer<typeof Finding>

export const WorkspaceCounts = z.object({
  runs: z.number().int(),
  pipelines: z.number().int(),
  chains: z.number().int(),
  predictions: z.number().int(),
  /** Predictions that have arrays; orphan and tombstoned rows are not counted. */
  arrays: z.number().int(),
  artifacts: z.number().int(),
  logs: z.number().int(),
  projects: z.number().int(),
})
export type WorkspaceCounts = z.infer<typeof WorkspaceCounts>

export const Backup = z.object({ path: z.string(), bytes: z.number(), created_at: z.string() })
export type Backup = z.infer<typeof Backup>

export const StorageStatus = z.object({
  storage_mode: StorageMode,
  has_prediction_arrays_table: z.boolean(),
  has_arrays_directory: z.boolean(),
  migration_needed: z.boolean(),
  rescue_needed: z.boolean(),
  read_only: z.boolean(),
  /** Release or range ("0.7.1", "0.8.0-0.8.3") of nirs4all; null if unknown. With `migrated`, that from before the migration where it is known. */
  written_by: z.string().nullable(),
  /** Set when NIRS Workspace has migrated this store; `from` is the release that wrote it, null where the proof does not say. */
  migrated: z.object({ from: z.string().nullable() }).optional(),
  locked_by: LockHolder.nullable(),
  /** Bytes of a write-ahead log left beside the store, 0 when there is none. */
  wal_bytes: z.number(),
  /** Set while an earlier job has left work to finish or undo. */
  interrupted_job: z.object({ job_id: z.string(), kind: z.string(), phase: z.string() }).nullable(),
  backups: z.array(Backup),
})
export type StorageStatus = z.infer<typeof StorageStatus>

/** A file of arrays that cannot be read: `damaged`, or `missing` although predictions of its dataset have their arrays nowhere else. */
export const UnreadableFile = z.object({
  /** Relative to the workspace, '/' between names. */
  path: z.string(),
  reason: z.enum(['damaged', 'missing']),
  /** What reading it said. */
  detail: z.string(),
  /** Datasets whose arrays belong into this file; empty when no known one does. */
  datasets: z.array(z.string()),
  /** Predictions whose arrays cannot be read because of it. */
  predictions: z.number().int(),
})
export type UnreadableFile = z.infer<typeof UnreadableFile>

export const DatasetInfo = z.object({
  name: z.string(),
  predictions: z.number().int(),
  arrays: z.number().int(),
  parquet_bytes: z.number(),
  /** What the dataset comes to as a Parquet file; an estimate while its arrays lie in a store. */
  bytes: z.number().optional(),
  bytes_are_estimate: z.boolean().optional(),
})
export type DatasetInfo = z.infer<typeof DatasetInfo>

/** What `inspect` answers. */
export const Inspection = StorageStatus.extend({
  path: z.string(),
  name: z.string(),
  counts: WorkspaceCounts,
  datasets: z.array(DatasetInfo),
  sizes: z.object({ store_bytes: z.number(), arrays_bytes: z.number(), artifacts_bytes: z.number() }),
  findings: z.array(Finding),
  /** When the store was last read; sizes are of this moment. While somebody holds the store (`locked_by`), counts may have changed since. */
  as_of: z.string().optional(),
})
export type Inspection = z.infer<typeof Inspection>

export const CatalogInfo = z.object({
  state: z.enum(['building', 'ready', 'stale', 'failed']),
  built_at: z.string().nullable(),
  fingerprint: z.string().nullable(),
  /** Why the catalog is stale or could not be built. */
  detail: z.string().nullable(),
})
export type CatalogInfo = z.infer<typeof CatalogInfo>

export const Workspace = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  current: z.boolean(),
  /** False while it is not at its path any more; what follows is then as last seen. */
  exists: z.boolean(),
  /** Null until the store has been read, as the counts are. */
  storage_mode: StorageMode.nullable(),
  counts: WorkspaceCounts.nullable(),
  catalog: CatalogInfo,
  /** Process that holds the store for writing, as last seen. */
  writer: LockHolder.nullable(),
})
export type Workspace = z.infer<typeof Workspace>

/** A path the user opened before; `exists` is re-checked when listed. */
export const RecentWorkspace = z.object({ path: z.string(), name: z.string(), opened_at: z.string(), exists: z.boolean() })
export type RecentWorkspace = z.infer<typeof RecentWorkspace>

export const WorkspaceList = z.object({ rows: z.array(Workspace), recents: z.array(RecentWorkspace), total: z.number().int() })
export type WorkspaceList = z.infer<typeof WorkspaceList>

export const OpenWorkspace = z.object({ path: z.string().min(1).max(4096) })

export const SpaceUsage = z.object({ category: z.string(), bytes: z.number(), files: z.number().int() })
export type SpaceUsage = z.infer<typeof SpaceUsage>

export const WorkspaceStats = z.object({
  storage_mode: StorageMode,
  total_bytes: z.number(),
  duckdb_size_bytes: z.number(),
  parquet_arrays_size_bytes: z.number(),
  artifacts_size_bytes: z.number(),
  backups_size_bytes: z.number(),
  trash_size_bytes: z.number(),
  /** Free blocks of the store plus array rows that compaction would drop. */
  reclaimable_bytes: z.number(),
  /** "Store", "Prediction arrays", "Artifacts", "Backups", "Trash", "Logs", "Other". */
  space_usage: z.array(SpaceUsage),
  tables: z.record(z.string(), z.number().int()),
  datasets: z.array(DatasetInfo),
  unreadable_files: z.array(UnreadableFile),
  /** As in `Inspection`. */
  as_of: z.string().optional(),
  locked_by: LockHolder.nullable().optional(),
})
export type WorkspaceStats = z.infer<typeof WorkspaceStats>
