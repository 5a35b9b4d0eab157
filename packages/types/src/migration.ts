import * as z from 'zod'
import { LockHolder } from './error.ts'

export const MigrationWarning = z.object({
  code: z.enum([
    'rows_without_metadata',
    'duplicate_natural_keys',
    'duplicate_prediction_ids',
    'shared_file_name',
    'name_truncated',
    'stale_parquet_rows',
    'parquet_only_rows',
    'write_ahead_log',
    'log_unreadable',
    'log_cut_short',
    'null_elements',
    'length_mismatch',
    'samples_mismatch',
    'unreadable_parquet',
    'predictions_without_arrays',
    'little_space',
    'read_only',
    'tombstones_corrupt',
    'running_run',
    'newer_columns',
    'negative_zero',
    'removed_rows',
    'not_carried',
  ]),
  detail: z.string(),
  count: z.number().int(),
  ids: z.array(z.string()).default([]),
})
export type MigrationWarning = z.infer<typeof MigrationWarning>

/** What a migration would do: plain data, made by reading only. */
export const MigrationPlan = z.object({
  plan_id: z.string(),
  digest: z.string(),
  dry_run: z.literal(true),
  storage_mode: z.string(),
  total_rows: z.number().int(),
  total_values: z.number(),
  datasets: z.array(
    z.object({
      name: z.string(),
      rows: z.number().int(),
      values: z.number(),
      bytes_now: z.number(),
      bytes_estimated: z.number(),
      /** File under arrays/ that would hold the rows. */
      file: z.string(),
      /** Other datasets that would share this file. */
      shares_file_with: z.array(z.string()),
      /** Rows that arrays/ already holds. */
      rows_already_there: z.number().int(),
    }),
  ),
  quarantine_rows: z.number().int(),
  duckdb_size_before: z.number(),
  duckdb_size_estimated: z.number(),
  parquet_bytes_estimated: z.number(),
  free_bytes_needed: z.number(),
  free_bytes_available: z.number(),
  estimated_duration_seconds: z.number(),
  warnings: z.array(MigrationWarning),
})
export type MigrationPlan = z.infer<typeof MigrationPlan>

export const MigratedDataset = z.object({
  name: z.string(),
  file: z.string(),
  rows: z.number().int(),
  values: z.number(),
  bytes: z.number(),
  /** SHA-256 over all arrays of the dataset, rows by prediction_id (docs/formats.md); of the source and of the written file. */
  source_sha256: z.string(),
  parquet_sha256: z.string(),
})
export type MigratedDataset = z.infer<typeof MigratedDataset>

/** The seed's report, every row verified, plus where the proof and the original are. */
export const MigrationReport = z.object({
  job_id: z.string(),
  total_rows: z.number().int(),
  rows_migrated: z.number().int(),
  datasets_migrated: z.array(z.string()),
  verification_passed: z.boolean(),
  verification_sample_size: z.number().int(),
  verification_mismatches: z.number().int(),
  duckdb_size_before: z.number(),
  duckdb_size_after: z.number(),
  parquet_total_size: z.number(),
  duration_seconds: z.number(),
  errors: z.array(z.string()),
  datasets: z.array(MigratedDataset),
  quarantined_rows: z.number().int(),
  quarantine_path: z.string().nullable(),
  warnings: z.array(MigrationWarning),
  proof_path: z.string(),
  backup_path: z.string(),
  /** The log of an original that had one: a part of it. */
  backup_wal_path: z.string().nullable().default(null),
})
export type MigrationReport = z.infer<typeof MigrationReport>

/** migration-proof.json: enough to check again, years later, that nothing was lost. */
export const MigrationProof = z.object({
  format: z.literal('nirs-workspace/migration-proof/1'),
  job_id: z.string(),
  created_at: z.string(),
  written_by: z.string(),
  original: z.object({
    path: z.string(),
    bytes: z.number(),
    /** Release of nirs4all whose schema it has; proofs of earlier releases do not say. */
    release: z.string().nullable().optional(),
    sha256: z.string(),
    wal: z.object({ path: z.string(), bytes: z.number(), sha256: z.string() }).nullable(),
  }),
  store: z.object({
    path: z.string(),
    bytes: z.number(),
    sha256: z.string(),
    tables: z.record(z.string(), z.object({ rows: z.number().int(), sha256: z.string() })),
  }),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  /** Files of arrays/ that were replaced by a merged one, kept beside the proof. */
  replaced: z.array(z.object({ path: z.string(), kept_as: z.string(), bytes: z.number(), sha256: z.string() })),
  datasets: z.array(MigratedDataset),
  /** Whether arrays/ did not exist before. */
  arrays_created: z.boolean().default(false),
  /** Ids that were on the list of removed predictions before; proofs of earlier releases do not say. */
  marked_before: z.array(z.string()).optional(),
  quarantine: z.object({ path: z.string(), rows: z.number().int(), sha256: z.string() }).nullable(),
  report: MigrationReport,
  /** SHA-256 of all the rest, as JSON without spaces. Proofs of earlier releases have none. */
  sha256: z.string().optional(),
})
export type MigrationProof = z.infer<typeof MigrationProof>

export const MigrateStatus = z.object({
  migration_needed: z.boolean(),
  storage_mode: z.string(),
  legacy_row_count: z.number().int().nullable(),
  estimated_duration_seconds: z.number().nullable(),
  /** Store and log. */
  store_bytes: z.number(),
  bytes_estimated: z.number().nullable(),
  can_roll_back: z.boolean(),
  backup_path: z.string().nullable(),
  backup_wal_path: z.string().nullable(),
  /** Of both. */
  backup_bytes: z.number().nullable(),
  proof_path: z.string().nullable(),
  last_report: MigrationReport.nullable(),
  running_job_id: z.string().nullable(),
  /** While another process holds the store, estimates are unknown (null). */
  locked_by: LockHolder.nullable().optional(),
})
export type MigrateStatus = z.infer<typeof MigrateStatus>

/** Rows per row group that a migration can be asked for. */
export const largestBatch = 100_000

/** Strict: a misspelt `dry_run` must not start a migration. */
export const MigrateRequest = z.strictObject({
  dry_run: z.boolean().default(false),
  batch_size: z.number().int().min(1).max(largestBatch).optional(),
  /** Refuse (`plan_stale`) when the workspace no longer is what this plan was made from. */
  plan_id: z.string().optional(),
})
export type MigrateRequest = z.infer<typeof MigrateRequest>

export const RollbackReport = z.object({ restored_from: z.string(), kept_newer_state_at: z.string().nullable() })
export type RollbackReport = z.infer<typeof RollbackReport>
