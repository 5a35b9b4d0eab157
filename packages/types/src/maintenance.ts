import * as z from 'zod'

const count = z.number().int()
const name = z.string().max(100_000)
const datasetName = name.optional()
const score = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
/** What is younger than this is left alone: another program may be about to write the other half of it. */
const graceHours = z
  .number()
  .min(0)
  .max(24 * 366)
  .default(24)

/** What a plan can be made of. Strict: a misspelt field must not widen what is removed. */
export const MaintenanceRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('clean_dead_links'),
    dataset_name: datasetName,
    grace_hours: graceHours,
    /** Predictions that were saved without arrays too; by default they are only counted. */
    include_never_saved: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('remove_bottom'),
    /** Of the ranked predictions of each group, rounded down. */
    fraction: z.number().min(0).max(1),
    /** Only predictions of this metric; `val_score` and nothing mean all. */
    metric: z.string().optional(),
    partition: z.enum(['val', 'test', 'train']).default('val'),
    dataset_name: datasetName,
    /** For metrics whose direction the table does not know; refused where it contradicts that of the metric that is named. */
    direction: z.enum(['higher', 'lower', 'zero']).optional(),
  }),
  z.strictObject({ kind: z.literal('remove_dataset'), dataset_name: name }),
  z.strictObject({ kind: z.literal('remove_run'), run_id: name }),
  z.strictObject({ kind: z.literal('remove_pipeline'), pipeline_id: name }),
  z.strictObject({ kind: z.literal('remove_chain'), chain_id: name }),
  z.strictObject({ kind: z.literal('remove_predictions'), prediction_ids: z.array(name).min(1) }),
  z.strictObject({ kind: z.literal('compact'), dataset_name: datasetName }),
  z.strictObject({
    kind: z.literal('artifact_gc'),
    grace_hours: graceHours,
    /** Files in artifacts/ that no row names as well. The library writes real models that it never notes, hence not by default. */
    include_unregistered: z.boolean().default(false),
  }),
])
export type MaintenanceRequest = z.infer<typeof MaintenanceRequest>
export type MaintenanceInput = z.input<typeof MaintenanceRequest>

export const MaintenanceCounts = z.object({
  runs: count,
  pipelines: count,
  chains: count,
  predictions: count,
  artifacts: count,
  logs: count,
  /** Rows of tables that only later releases have. */
  other_rows: count,
  /** Predictions whose arrays go. */
  arrays: count,
  /** Model files. */
  files: count,
  bytes: z.number(),
})
export type MaintenanceCounts = z.infer<typeof MaintenanceCounts>

/** One thing that goes: a row of a table by its key, the arrays of a prediction, a model file, or rows of an array file. */
export const MaintenanceItem = z.object({
  what: z.enum(['row', 'arrays', 'file', 'array_file']),
  /** Table of a row; null otherwise. */
  table: z.string().nullable(),
  id: z.string(),
  dataset_name: z.string().nullable(),
})
export type MaintenanceItem = z.infer<typeof MaintenanceItem>

/** A dataset that is left alone because what its array file holds cannot be told. */
const RefusedDataset = z.object({ dataset_name: z.string(), file: z.string(), reason: z.string() })

export const CleanDeadLinksReport = z.object({
  metadata_orphans_removed: count,
  array_orphans_removed: count,
  /** Saved without arrays. Counted, and removed only when asked for. */
  never_had_arrays: count,
  too_young: count,
  refused: z.array(RefusedDataset),
})
export type CleanDeadLinksReport = z.infer<typeof CleanDeadLinksReport>

export const RemoveBottomGroup = z.object({
  dataset_name: z.string(),
  metric: z.string(),
  task_type: z.string(),
  direction: z.enum(['higher', 'lower', 'zero']),
  ranked: count,
  /** Ranked predictions that go; their siblings of other partitions and `_agg` twins are not counted here. */
  ranked_removed: count,
  not_finite: count,
  /** The best score that goes; null when nothing does or it is none. */
  threshold_score: score.nullable(),
  best: z.object({ prediction_id: z.string(), score }).nullable(),
  /** Finite scores in bins of equal width. */
  histogram: z.object({ from: z.number(), to: z.number(), counts: z.array(count) }).nullable(),
})
export type RemoveBottomGroup = z.infer<typeof RemoveBottomGroup>

export const RemoveBottomReport = z.object({
  /** Predictions, with the siblings of other partitions and `_agg` twins. */
  removed: count,
  remaining: count,
  /** Of the only group; null when there are several. */
  threshold_score: score.nullable(),
  groups: z.array(RemoveBottomGroup),
  starred_kept: count,
})
export type RemoveBottomReport = z.infer<typeof RemoveBottomReport>

export const RemoveDatasetReport = z.object({
  predictions_removed: count,
  /** Whether an array file goes; one in which other datasets have rows stays. */
  parquet_deleted: z.boolean(),
})
export type RemoveDatasetReport = z.infer<typeof RemoveDatasetReport>

/** Of a run, a pipeline, a chain or single predictions. */
export const RemoveRowsReport = z.object({ runs_removed: count, predictions_removed: count, arrays_removed: count })
export type RemoveRowsReport = z.infer<typeof RemoveRowsReport>

export const CompactDatasetsReport = z.object({
  /** By dataset. Bytes of a file that holds several are shared out by rows; in a preview `bytes_after` is an estimate. */
  datasets: z.record(
    z.string(),
    z.object({ rows_before: count, rows_after: count, rows_removed: count, bytes_before: z.number(), bytes_after: z.number() }),
  ),
})
export type CompactDatasetsReport = z.infer<typeof CompactDatasetsReport>

export const ArtifactGcReport = z.object({
  rows_removed: count,
  files_removed: count,
  bytes_freed: z.number(),
  too_young: count,
  /** Files that no row names. */
  unregistered_files: count,
  unregistered_bytes: z.number(),
})
export type ArtifactGcReport = z.infer<typeof ArtifactGcReport>

export const MaintenanceReport = z.union([
  CleanDeadLinksReport,
  RemoveBottomReport,
  RemoveDatasetReport,
  RemoveRowsReport,
  CompactDatasetsReport,
  ArtifactGcReport,
])
export type MaintenanceReport = z.infer<typeof MaintenanceReport>

/** What would happen. Applying it does exactly that, or is refused when the workspace has changed since. */
export const MaintenancePlan = z.object({
  plan_id: z.string(),
  kind: z.string(),
  /** SHA-256 of the state that the plan was made from and of everything in it. */
  digest: z.string(),
  /** Size and time of all files of the workspace. */
  fingerprint: z.string(),
  created_at: z.string(),
  request: MaintenanceRequest,
  counts: MaintenanceCounts,
  items_total: count,
  report: MaintenanceReport,
  warnings: z.array(z.string()),
})
export type MaintenancePlan = z.infer<typeof MaintenancePlan>

export const MaintenanceApplied = z.object({
  plan_id: z.string(),
  kind: z.string(),
  digest: z.string(),
  counts: MaintenanceCounts,
  items_total: count,
  report: MaintenanceReport,
  warnings: z.array(z.string()),
  /** What `restore` takes; null when nothing went to the trash. */
  operation_id: z.string().nullable(),
  duration_seconds: z.number(),
})
export type MaintenanceApplied = z.infer<typeof MaintenanceApplied>

export const TrashEntry = z.object({
  operation_id: z.string(),
  kind: z.string(),
  created_at: z.string(),
  counts: z.record(z.string(), z.number()),
  bytes: z.number(),
  /** Some of it has been restored already. */
  partly_restored: z.boolean(),
  /**
   * Its manifest cannot be read: it can be given up by its name, not restored. Its kind is `unknown` then, it has no counts, `created_at` is
   * the time of that file, and `bytes` are those of its folder.
   */
  damaged: z.boolean(),
})
export type TrashEntry = z.infer<typeof TrashEntry>
export const TrashList = z.object({ rows: z.array(TrashEntry), total: count })
export type TrashList = z.infer<typeof TrashList>

/** Of a restore that would be carried out: what would come back, and what else is to be known before. */
export const RestorePreview = z.object({ counts: MaintenanceCounts, warnings: z.array(z.string()) })
export type RestorePreview = z.infer<typeof RestorePreview>

export const RestoreReport = z.object({
  operation_id: z.string(),
  counts: MaintenanceCounts,
  /** Whether the trash still holds something of this operation. */
  remaining: z.boolean(),
  /** What came back otherwise than it was, or is not to be used as it was. */
  warnings: z.array(z.string()),
})
export type RestoreReport = z.infer<typeof RestoreReport>

export const EmptyTrashReport = z.object({
  operations: z.array(z.string()),
  /** Operations that stay, as nobody has named them and their manifest cannot be read. */
  damaged: z.array(z.string()),
  bytes_freed: z.number(),
})
export type EmptyTrashReport = z.infer<typeof EmptyTrashReport>

export const StoreStats = z.object({
  /** The store with its write-ahead log. */
  metadata_size_bytes: z.number(),
  parquet_arrays_size_bytes: z.number(),
  trash_size_bytes: z.number(),
  /** Rows by table. */
  tables: z.record(z.string(), count),
  array_rows: count,
  /** Removed predictions that wait for compaction; null when the list of them is damaged. */
  tombstones: count.nullable(),
  unreadable_files: z.array(z.string()),
  datasets: z.array(
    z.object({ name: z.string(), predictions: count, array_rows: count, parquet_size_bytes: z.number(), files: z.array(z.string()) }),
  ),
})
export type StoreStats = z.infer<typeof StoreStats>
