import * as z from 'zod'
import { UnreadableFile } from './workspace.ts'

const wireNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])

/**
 * fold: a numbered cross-validation fold · average: `avg` or `w_avg` over folds · refit: trained again on all training
 * samples (`final`, or any row with a refit context) · single: a run without cross-validation (empty fold id) · other.
 */
export const FoldKind = z.enum(['fold', 'average', 'refit', 'single', 'other'])
export type FoldKind = z.infer<typeof FoldKind>

/** What can be shown, sorted and filtered by: nirs4all's own columns, the names of its parents, and what we derive. */
const predictionColumns = z.object({
  prediction_id: z.string(),
  dataset_name: z.string(),
  model_name: z.string(),
  model_class: z.string(),
  preprocessings: z.string(),
  fold_id: z.string(),
  fold_kind: FoldKind,
  /** A twin averaged over repetitions (`_agg`). */
  aggregated: z.boolean(),
  partition: z.string(),
  metric: z.string(),
  val_score: wireNumber.nullable(),
  test_score: wireNumber.nullable(),
  train_score: wireNumber.nullable(),
  task_type: z.string(),
  n_samples: z.number().int().nullable(),
  n_features: z.number().int().nullable(),
  best_params: z.string().nullable(),
  branch_id: z.number().int().nullable(),
  branch_name: z.string().nullable(),
  refit_context: z.string().nullable(),
  exclusion_count: z.number().int().nullable(),
  exclusion_rate: wireNumber.nullable(),
  run_id: z.string().nullable(),
  run_name: z.string().nullable(),
  pipeline_id: z.string().nullable(),
  pipeline_name: z.string().nullable(),
  chain_id: z.string().nullable(),
  /**
   * ISO 8601; with a Z where it is known to be UTC (whole seconds in SQLite), without a zone where the store does not say which one: the local
   * time of its writer in DuckDB, and in SQLite what nirs4all has taken over from there. Sorted as it is written.
   */
  created_at: z.string().nullable(),
  /** Whether arrays are stored and their file can be read. */
  has_arrays: z.boolean(),
})
export type PredictionColumn = keyof z.infer<typeof predictionColumns>

/** One row of the big table. */
export const PredictionRow = predictionColumns.extend({
  /** stored · none: sound files have no row of it · unreadable: the file that would hold them is damaged or not there. */
  arrays_state: z.enum(['stored', 'none', 'unreadable']),
})
export type PredictionRow = z.infer<typeof PredictionRow>

/** Columns that filter by equality; each may be repeated, any of the values matches. Null is asked for as the empty string. */
export const facetColumns = [
  'dataset_name',
  'model_name',
  'model_class',
  'preprocessings',
  'partition',
  'fold_kind',
  'fold_id',
  'metric',
  'task_type',
  'run_id',
  'run_name',
  'pipeline_id',
  'chain_id',
  'branch_name',
  'refit_context',
  'aggregated',
  'has_arrays',
] as const satisfies readonly PredictionColumn[]
export type FacetColumn = (typeof facetColumns)[number]

/** Columns with `_min` and `_max` filters. */
export const rangeColumns = [
  'val_score',
  'test_score',
  'train_score',
  'n_samples',
  'n_features',
  'created_at',
] as const satisfies readonly PredictionColumn[]
export type RangeColumn = (typeof rangeColumns)[number]

const columnNames = Object.keys(predictionColumns.shape) as [PredictionColumn, ...PredictionColumn[]]
export const PredictionColumnName = z.enum(columnNames)

export const SortKey = z.object({ column: PredictionColumnName, direction: z.enum(['asc', 'desc']) })
export type SortKey = z.infer<typeof SortKey>

const range = z.strictObject({ min: z.union([z.number(), z.string()]).optional(), max: z.union([z.number(), z.string()]).optional() })

/** Strict: a misspelt field must not widen what is shown or exported. */
export const PredictionFilter = z.strictObject({
  equals: z.partialRecord(z.enum(facetColumns), z.array(z.string()).min(1)).default({}),
  ranges: z.partialRecord(z.enum(rangeColumns), range).default({}),
  /** Text that must occur (case-insensitive, every word) in ids, names, preprocessing, parameters. */
  q: z.string().max(500).default(''),
})
export type PredictionFilter = z.infer<typeof PredictionFilter>

export const PredictionQuery = z.object({
  filter: PredictionFilter,
  sort: z.array(SortKey).max(5).default([]),
  limit: z.number().int().min(1).max(1000).default(100),
  offset: z.number().int().min(0).default(0),
})
export type PredictionQuery = z.infer<typeof PredictionQuery>

export const PredictionPage = z.object({
  rows: z.array(PredictionRow),
  total: z.number().int(),
  offset: z.number().int(),
  /** Metrics present under the filter; more than one means scores must not be ranked together. */
  metrics: z.array(z.string()),
})
export type PredictionPage = z.infer<typeof PredictionPage>

export const FacetValue = z.object({ value: z.string().nullable(), count: z.number().int() })
/** Counts per value; each facet ignores its own filter and honours all others. */
export const Facets = z.object({
  total: z.number().int(),
  facets: z.partialRecord(z.enum(facetColumns), z.object({ values: z.array(FacetValue), distinct: z.number().int() })),
})
export type Facets = z.infer<typeof Facets>

export const Histogram = z.object({
  column: z.enum(rangeColumns),
  bins: z.array(z.object({ min: z.number(), max: z.number(), count: z.number().int() })),
  nulls: z.number().int(),
  non_finite: z.number().int(),
  /** Zeros that may stand for no test score and are in no bin: nirs4all 0.8.1 wrote them where there were no test samples. */
  placeholders: z.number().int(),
  /** Of times: the first and the last one as rows have them, with a Z where they are UTC; the bins are their clocks. Null for other columns. */
  times: z.object({ first: z.string(), last: z.string() }).nullable(),
})
export type Histogram = z.infer<typeof Histogram>

/** A row with its JSON columns decoded (non-finite numbers as wire strings) and its siblings. */
export const PredictionDetail = PredictionRow.extend({
  scores: z.record(z.string(), z.record(z.string(), z.union([wireNumber, z.string(), z.null()]))),
  params: z.record(z.string(), z.unknown()),
  /** Columns (`scores`, `best_params`) whose text is not JSON; they are shown empty. Absent when all could be read. */
  undecodable: z.array(z.string()).optional(),
  /** Absent unless `arrays_state` is unreadable. */
  unreadable_file: UnreadableFile.pick({ path: true, reason: true, detail: true }).optional(),
  /** The other rows of the same chain, model, dataset and metric: fold × partition. */
  siblings: z.array(
    PredictionRow.pick({
      prediction_id: true,
      fold_id: true,
      fold_kind: true,
      partition: true,
      val_score: true,
      test_score: true,
      train_score: true,
      n_samples: true,
      has_arrays: true,
    }),
  ),
})
export type PredictionDetail = z.infer<typeof PredictionDetail>

export const PredictionArrays = z.object({
  prediction_id: z.string(),
  y_true: z.array(wireNumber.nullable()).nullable(),
  y_pred: z.array(wireNumber.nullable()).nullable(),
  y_proba: z.array(wireNumber.nullable()).nullable(),
  y_proba_shape: z.array(z.number().int()).nullable(),
  sample_indices: z.array(z.number().int().nullable()).nullable(),
  weights: z.array(wireNumber.nullable()).nullable(),
})
export type PredictionArrays = z.infer<typeof PredictionArrays>

export const RegressionFigures = z.object({
  /** Pairs the figures are computed from. */
  n: z.number().int(),
  /** Pairs left out: a side null, NaN or infinite, or without partner. */
  excluded: z.number().int(),
  rmse: wireNumber,
  r2: wireNumber,
  bias: wireNumber,
  mae: wireNumber,
  /** Divisor n, as nirs4all stores it. */
  sep: wireNumber,
  /** Divisor n − 1, as ISO 12099 has it. */
  sep_n1: wireNumber,
  rpd: wireNumber,
  rpiq: wireNumber,
  /** Least squares of predicted on measured. */
  slope: wireNumber,
  intercept: wireNumber,
})
export type RegressionFigures = z.infer<typeof RegressionFigures>

export const ClassificationFigures = z.object({
  /** Pairs the figures are computed from. */
  n: z.number().int(),
  /** Pairs left out: a side null, NaN or infinite, or without partner. */
  excluded: z.number().int(),
  accuracy: wireNumber,
  balanced_accuracy: wireNumber,
  labels: z.array(z.number()),
  /** counts[i][j]: samples of class labels[i] predicted as labels[j]. */
  confusion: z.array(z.array(z.number().int())),
  per_class: z.array(z.object({ label: z.number(), precision: wireNumber, recall: wireNumber, f1: wireNumber, support: z.number().int() })),
})
export type ClassificationFigures = z.infer<typeof ClassificationFigures>

/** Everything the peek draws for one prediction. Exactly one of the two figure sets is there. */
export const Scatter = z.object({
  prediction_id: z.string(),
  dataset_name: z.string(),
  model_name: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  metric: z.string(),
  task_type: z.string(),
  y_true: z.array(wireNumber.nullable()),
  y_pred: z.array(wireNumber.nullable()),
  sample_indices: z.array(z.number().int().nullable()).nullable(),
  regression: RegressionFigures.nullable(),
  classification: ClassificationFigures.nullable(),
})
export type Scatter = z.infer<typeof Scatter>

export const TopQuery = z.object({
  n: z.number().int().min(1).max(1000).default(10),
  dataset_name: z.string().optional(),
  metric: z.string().optional(),
  fold_kind: FoldKind.optional(),
  direction: z.enum(['higher', 'lower', 'zero']).optional(),
})
export type TopQuery = z.infer<typeof TopQuery>
