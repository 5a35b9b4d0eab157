import * as z from 'zod'
import { RunRow } from './run.ts'
import { UnreadableFile } from './workspace.ts'

const direction = z.enum(['higher', 'lower', 'zero', 'unknown'])

/** The best row of one metric: `best_cv` ranks validation scores of folds and averages, `best_refit` test scores of refits. */
export const BestCv = z.object({
  metric: z.string(),
  direction,
  val_score: z.number(),
  prediction_id: z.string(),
  model_name: z.string(),
  preprocessings: z.string(),
})
export type BestCv = z.infer<typeof BestCv>

export const BestRefit = z.object({
  metric: z.string(),
  direction,
  test_score: z.number(),
  prediction_id: z.string(),
  model_name: z.string(),
})
export type BestRefit = z.infer<typeof BestRefit>

export const DatasetOverview = z.object({
  dataset_name: z.string(),
  task_type: z.string(),
  predictions: z.number().int(),
  /** Distinct model names. */
  models: z.number().int(),
  /** Predictions that have arrays. */
  arrays: z.number().int(),
  /** As they are spelled, the most frequent metric first. */
  metrics: z.array(z.string()),
  /** One per metric of known direction; empty when no finite score is there. */
  best_cv: z.array(BestCv),
  best_refit: z.array(BestRefit),
  /** Finite validation scores of the first metric's cross-validation rows, at most 200, spread evenly over all of them. */
  scores: z.array(z.number()),
})
export type DatasetOverview = z.infer<typeof DatasetOverview>

export const OverviewResponse = z.object({
  datasets: z.array(DatasetOverview),
  /** The five newest runs. */
  recent_runs: z.array(RunRow).max(5),
  unreadable_files: z.array(UnreadableFile),
})
export type OverviewResponse = z.infer<typeof OverviewResponse>
