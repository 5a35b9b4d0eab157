import type { ColumnValues } from '@nirs-workspace/storage'

/** Rows as the tables hold them; times in microseconds since 1970, JSON as text. */
export interface RunRow {
  run_id: string
  name: string
  config: string
  datasets: string
  status: 'completed' | 'failed'
  created_at: number
  completed_at: number | null
  summary: string | null
  error: string | null
}

export interface PipelineRow {
  pipeline_id: string
  run_id: string
  name: string
  expanded_config: string
  generator_choices: string
  dataset_name: string
  dataset_hash: string | null
  status: 'completed' | 'failed'
  created_at: number
  completed_at: number | null
  best_val: number | null
  best_test: number | null
  metric: string | null
  duration_ms: number | null
  error: string | null
}

export interface ChainRow {
  chain_id: string
  pipeline_id: string
  steps: string
  model_step_idx: number
  model_class: string
  preprocessings: string
  fold_artifacts: string
  shared_artifacts: string
  created_at: number
}

export interface PredictionRow {
  prediction_id: string
  pipeline_id: string
  chain_id: string
  dataset_name: string
  model_name: string
  model_class: string
  fold_id: string
  partition: string
  val_score: number
  test_score: number
  train_score: number
  metric: string
  task_type: string
  n_samples: number
  n_features: number
  scores: string
  best_params: string
  preprocessings: string
  refit_context: string | null
  created_at: number
  y_true: Float64Array
  y_pred: Float64Array
  y_proba: Float64Array | null
  sample_indices: Int32Array
  weights: Float64Array
}

export interface ArtifactRow {
  artifact_id: string
  artifact_path: string
  content_hash: string
  operator_class: string
  artifact_type: string
  format: string
  size_bytes: number
  created_at: number
}

export interface LogRow {
  log_id: string
  pipeline_id: string
  step_idx: number
  operator_class: string
  message: string
  details: string
  created_at: number
}

export interface TableShape<Row> {
  readonly table: string
  /** In the order of the table's own columns. */
  readonly columns: readonly ((rows: readonly Row[]) => ColumnValues)[]
}

type Columns<Row> = TableShape<Row>['columns']

const text =
  <Row>(pick: (row: Row) => string | null) =>
  (rows: readonly Row[]): ColumnValues => ({ type: 'varchar', values: rows.map(pick) })
const numbers =
  (type: 'integer' | 'double' | 'bigint' | 'timestamp') =>
  <Row>(pick: (row: Row) => number | null) =>
  (rows: readonly Row[]): ColumnValues => ({ type, values: rows.map(pick) })
const integer = numbers('integer')
const double = numbers('double')
const bigint = numbers('bigint')
const time = numbers('timestamp')
const doubles =
  <Row>(pick: (row: Row) => Float64Array | null) =>
  (rows: readonly Row[]): ColumnValues => ({ type: 'double[]', values: rows.map(pick) })
const integers =
  <Row>(pick: (row: Row) => Int32Array | null) =>
  (rows: readonly Row[]): ColumnValues => ({ type: 'integer[]', values: rows.map(pick) })

const runColumns: Columns<RunRow> = [
  text((row) => row.run_id),
  text((row) => row.name),
  text((row) => row.config),
  text((row) => row.datasets),
  text((row) => row.status),
  time((row) => row.created_at),
  time((row) => row.completed_at),
  text((row) => row.summary),
  text((row) => row.error),
]

const pipelineColumns: Columns<PipelineRow> = [
  text((row) => row.pipeline_id),
  text((row) => row.run_id),
  text((row) => row.name),
  text((row) => row.expanded_config),
  text((row) => row.generator_choices),
  text((row) => row.dataset_name),
  text((row) => row.dataset_hash),
  text((row) => row.status),
  time((row) => row.created_at),
  time((row) => row.completed_at),
  double((row) => row.best_val),
  double((row) => row.best_test),
  text((row) => row.metric),
  integer((row) => row.duration_ms),
  text((row) => row.error),
]

const chainColumns: Columns<ChainRow> = [
  text((row) => row.chain_id),
  text((row) => row.pipeline_id),
  text((row) => row.steps),
  integer((row) => row.model_step_idx),
  text((row) => row.model_class),
  text((row) => row.preprocessings),
  text(() => 'per_fold'),
  text((row) => row.fold_artifacts),
  text((row) => row.shared_artifacts),
  text(() => null),
  integer(() => null),
  time((row) => row.created_at),
]

const predictionColumns: Columns<PredictionRow> = [
  text((row) => row.prediction_id),
  text((row) => row.pipeline_id),
  text((row) => row.chain_id),
  text((row) => row.dataset_name),
  text((row) => row.model_name),
  text((row) => row.model_class),
  text((row) => row.fold_id),
  text((row) => row.partition),
  double((row) => row.val_score),
  double((row) => row.test_score),
  double((row) => row.train_score),
  text((row) => row.metric),
  text((row) => row.task_type),
  integer((row) => row.n_samples),
  integer((row) => row.n_features),
  text((row) => row.scores),
  text((row) => row.best_params),
  text((row) => row.preprocessings),
  integer(() => null),
  text(() => null),
  integer(() => 0),
  double(() => 0),
  text((row) => row.refit_context),
  time((row) => row.created_at),
]

const arrayColumns: Columns<PredictionRow> = [
  text((row) => row.prediction_id),
  doubles((row) => row.y_true),
  doubles((row) => row.y_pred),
  doubles((row) => row.y_proba),
  integers((row) => row.sample_indices),
  doubles((row) => row.weights),
]

const artifactColumns: Columns<ArtifactRow> = [
  text((row) => row.artifact_id),
  text((row) => row.artifact_path),
  text((row) => row.content_hash),
  text((row) => row.operator_class),
  text((row) => row.artifact_type),
  text((row) => row.format),
  bigint((row) => row.size_bytes),
  integer(() => 1),
  text(() => null),
  text(() => null),
  text(() => null),
  time((row) => row.created_at),
]

const logColumns: Columns<LogRow> = [
  text((row) => row.log_id),
  text((row) => row.pipeline_id),
  integer((row) => row.step_idx),
  text((row) => row.operator_class),
  text(() => 'output'),
  integer(() => null),
  text((row) => row.message),
  text((row) => row.details),
  text(() => 'info'),
  time((row) => row.created_at),
]

export const runShape: TableShape<RunRow> = { table: 'runs', columns: runColumns }
export const pipelineShape: TableShape<PipelineRow> = { table: 'pipelines', columns: pipelineColumns }
export const chainShape: TableShape<ChainRow> = { table: 'chains', columns: chainColumns }
export const predictionShape: TableShape<PredictionRow> = { table: 'predictions', columns: predictionColumns }
export const arrayShape: TableShape<PredictionRow> = { table: 'prediction_arrays', columns: arrayColumns }
export const artifactShape: TableShape<ArtifactRow> = { table: 'artifacts', columns: artifactColumns }
export const logShape: TableShape<LogRow> = { table: 'logs', columns: logColumns }
