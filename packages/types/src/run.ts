import * as z from 'zod'
import { FoldKind } from './prediction.ts'

const wireNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])

/**
 * The best cross-validation score of a run on one dataset: of its averages over folds, of single folds where no average is stored, and of fits
 * without folds where nothing else is. Ranked by the metric's own direction, never across metrics.
 */
export const RunBest = z.object({
  dataset_name: z.string(),
  metric: z.string(),
  direction: z.enum(['higher', 'lower', 'zero', 'unknown']),
  val_score: wireNumber.nullable(),
  prediction_id: z.string(),
  model_name: z.string(),
  fold_id: z.string(),
  /** What the score is of: average, fold or single. */
  fold_kind: FoldKind,
})
export type RunBest = z.infer<typeof RunBest>

/** One row of the list of runs. */
export const RunRow = z.object({
  run_id: z.string(),
  name: z.string(),
  /** As nirs4all wrote it: running, completed, failed. */
  status: z.string(),
  /** As that of a prediction: with a Z where it is known to be UTC. */
  created_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  datasets: z.array(z.string()),
  n_pipelines: z.number().int(),
  n_predictions: z.number().int(),
  /** What the library wrote down when the run failed. */
  error: z.string().nullable(),
  /** One per dataset and metric; a metric of unknown direction has none. */
  best: z.array(RunBest),
})
export type RunRow = z.infer<typeof RunRow>

/** Newest first; `status` filters (repeatable), `q` searches name, id and datasets. */
export const RunPage = z.object({ rows: z.array(RunRow), total: z.number().int(), offset: z.number().int() })
export type RunPage = z.infer<typeof RunPage>

export const RunQuery = z.object({
  status: z.array(z.string()).default([]),
  q: z.string().max(500).default(''),
  limit: z.number().int().min(1).max(1000).default(100),
  offset: z.number().int().min(0).default(0),
})
export type RunQuery = z.infer<typeof RunQuery>

export const PipelineRow = z.object({
  pipeline_id: z.string(),
  name: z.string(),
  dataset_name: z.string(),
  status: z.string(),
  metric: z.string().nullable(),
  created_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  n_predictions: z.number().int(),
  error: z.string().nullable(),
})
export type PipelineRow = z.infer<typeof PipelineRow>

/** A run with its pipelines; `config` and `summary` are decoded JSON, or the text itself where it is none. */
export const RunDetail = RunRow.extend({
  project_id: z.string().nullable(),
  config: z.unknown(),
  summary: z.unknown(),
  pipelines: z.array(PipelineRow),
})
export type RunDetail = z.infer<typeof RunDetail>
