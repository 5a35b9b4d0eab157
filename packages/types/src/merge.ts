import * as z from 'zod'

/**
 * What happens to a prediction whose natural key the target has already: the better validation score stays (refits: test score) · the later
 * one stays · both stay · the target's stays. Decided for all partitions of a model and fold at once.
 */
export const MergeStrategy = z.enum(['keep_best', 'keep_latest', 'keep_all', 'skip'])
export type MergeStrategy = z.infer<typeof MergeStrategy>

const count = z.number().int()

export const MergedSource = z.object({
  path: z.string(),
  /** Predictions of the chosen datasets. */
  predictions_read: count,
  /** New in the target. Read are as many as merged, already there and skipped together. */
  predictions_merged: count,
  /** In the target before, or brought by an earlier source: the same prediction, not only the same key. */
  already_there: count,
  /** Lost under the strategy: against the target's, or against those of a later source. */
  skipped: count,
  /** Predictions of the target that gave way to this source in the end. All sources together: what the trash gets. */
  replaced: count,
  /** Predictions that the target had without arrays and has with them now. */
  arrays_added: count,
})
export type MergedSource = z.infer<typeof MergedSource>

const mergedRows = z.object({ projects: count, runs: count, pipelines: count, chains: count, artifacts: count, logs: count })

/**
 * One natural key that both sides have. `later_source`: a source after this one takes the place of both sides. Ids: up to ten of each side; those of
 * the target come before those that earlier sources have brought.
 */
export const MergeConflict = z.object({
  source: z.string(),
  decision: z.enum(['keep_target', 'take_source', 'keep_both', 'later_source']),
  dataset_name: z.string(),
  model_name: z.string(),
  preprocessings: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  metric: z.string(),
  source_ids: z.array(z.string()),
  target_ids: z.array(z.string()),
})
export type MergeConflict = z.infer<typeof MergeConflict>

export const MergePlan = z.object({
  /** Also the digest of the state that the plan was made from. */
  plan_id: z.string(),
  target: z.string(),
  creates_target: z.boolean(),
  on_conflict: MergeStrategy,
  /** Null: all. */
  datasets: z.array(z.string()).nullable(),
  sources: z.array(MergedSource),
  rows: mergedRows,
  /** Rows that get another id because the target uses theirs for something else. */
  remapped: count,
  datasets_merged: z.array(z.string()),
  conflicts_total: count,
  conflicts: z.array(MergeConflict),
  warnings: z.array(z.string()),
})
export type MergePlan = z.infer<typeof MergePlan>

export const MergeReport = z.object({
  job_id: z.string(),
  target: z.string(),
  /** The target was made for this merge: it is there also when the sources had nothing for it. */
  created_target: z.boolean(),
  on_conflict: MergeStrategy,
  sources: z.array(MergedSource),
  rows: mergedRows,
  remapped: count,
  datasets_merged: z.array(z.string()),
  conflicts_resolved: count,
  /** Model files copied. */
  artifact_files: count,
  array_rows: count,
  /** Operation in the trash that holds what gave way; null when nothing did. */
  trash_operation: z.string().nullable(),
  warnings: z.array(z.string()),
  errors: z.array(z.string()),
  duration_seconds: z.number(),
  /** Where the merge is recorded; null when there was nothing to do. */
  record_path: z.string().nullable(),
})
export type MergeReport = z.infer<typeof MergeReport>
