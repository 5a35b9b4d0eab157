import * as z from 'zod'
import { decodeNumbers } from '../json/decode-json.ts'

const text = z.string().nullable()
/** Any number of the engine: NaN and Infinity are values here. */
const double = z.custom<number | null>((value) => value === null || typeof value === 'number')
const json = z.string().nullable().transform(decodeNumbers)

export const RunRecord = z.object({
  run_id: z.string(),
  name: z.string(),
  config: json,
  datasets: json,
  status: text,
  created_at: text,
  completed_at: text,
  summary: json,
  error: text,
  project_id: text,
})
export type RunRecord = z.infer<typeof RunRecord>

export const PipelineRecord = z.object({
  pipeline_id: z.string(),
  run_id: z.string(),
  name: z.string(),
  expanded_config: json,
  generator_choices: json,
  dataset_name: z.string(),
  dataset_hash: text,
  status: text,
  created_at: text,
  completed_at: text,
  best_val: double,
  best_test: double,
  metric: text,
  duration_ms: double,
  error: text,
})
export type PipelineRecord = z.infer<typeof PipelineRecord>

export const ChainRecord = z.object({
  chain_id: z.string(),
  pipeline_id: z.string(),
  steps: json,
  model_step_idx: z.number(),
  model_class: z.string(),
  preprocessings: text,
  fold_strategy: text,
  fold_artifacts: json,
  shared_artifacts: json,
  branch_path: json,
  source_index: double,
  model_name: text,
  metric: text,
  task_type: text,
  best_params: json,
  dataset_name: text,
  cv_val_score: double,
  cv_test_score: double,
  cv_train_score: double,
  cv_fold_count: double,
  cv_scores: json,
  final_test_score: double,
  final_train_score: double,
  final_scores: json,
  created_at: text,
})
export type ChainRecord = z.infer<typeof ChainRecord>

export const PredictionRecord = z.object({
  prediction_id: z.string(),
  pipeline_id: z.string(),
  chain_id: text,
  dataset_name: z.string(),
  model_name: z.string(),
  model_class: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  val_score: double,
  test_score: double,
  train_score: double,
  metric: z.string(),
  task_type: z.string(),
  n_samples: double,
  n_features: double,
  scores: json,
  best_params: json,
  preprocessings: text,
  branch_id: double,
  branch_name: text,
  exclusion_count: double,
  exclusion_rate: double,
  refit_context: text,
  created_at: text,
})
export type PredictionRecord = z.infer<typeof PredictionRecord>

export const LogRecord = z.object({
  log_id: z.string(),
  pipeline_id: z.string(),
  step_idx: z.number(),
  operator_class: text,
  event: z.string(),
  duration_ms: double,
  message: text,
  details: json,
  level: text,
  created_at: text,
})
export type LogRecord = z.infer<typeof LogRecord>

export const ProjectRecord = z.object({
  project_id: z.string(),
  name: z.string(),
  description: text,
  color: text,
  created_at: text,
  updated_at: text,
})
export type ProjectRecord = z.infer<typeof ProjectRecord>

export const ArtifactRecord = z.object({
  artifact_id: z.string(),
  artifact_path: z.string(),
  content_hash: z.string(),
  operator_class: text,
  artifact_type: text,
  format: text,
  size_bytes: double,
  created_at: text,
})
export type ArtifactRecord = z.infer<typeof ArtifactRecord>

/** Columns of every table with timestamps as text, which is how they are read. */
export const columnsFor = (schema: z.ZodObject, prefix = ''): string =>
  Object.keys(schema.shape)
    .map((name) => (name.endsWith('_at') ? `${prefix}${name}::VARCHAR AS ${name}` : `${prefix}${name}`))
    .join(', ')
