import type { PlannedRun } from '../plan/demo-plan.ts'

export type Partition = 'train' | 'val' | 'test'
export type ModelKind = 'pls' | 'ridge'

/** What all workers need to know to make the same datasets. */
export interface TrainingSetup {
  readonly seed: number
  readonly samples: number
  readonly stepNm: number
  readonly keepFoldModels: boolean
}

/** All variants that share one fitted chain of preprocessing: one PLS fit per fold answers for every number of latent variables. */
export interface BlockTask {
  readonly run: PlannedRun
  readonly dataset: string
  readonly preprocessing: string
  readonly model: ModelKind
  /** Cross-validate, or fit once on all calibration samples with the first number of latent variables of `components`. */
  readonly kind: 'cross-validation' | 'refit'
  readonly components: readonly number[]
}

/** The arrays of one prediction row. Arrays may be shared between rows. */
export interface TrainedRow {
  readonly partition: Partition
  readonly yTrue: Float64Array
  readonly yPred: Float64Array
  /** Row-major, one column per class; null for regression. */
  readonly yProba: Float64Array | null
  readonly sampleIndices: Int32Array
}

export interface TrainedFold {
  /** `0`, `1`, … or `avg`, `w_avg`, `final`. */
  readonly foldId: string
  /** Scores of the primary metric; `val` is 0 for a refit, as 0.7.1 writes. */
  readonly val: number
  readonly test: number
  readonly train: number
  /** The `scores` column. */
  readonly scores: string
  /** Weights of the folds in `w_avg`; the same on every row of a variant. */
  readonly weights: Float64Array
  readonly rows: readonly TrainedRow[]
}

export interface TrainedVariant {
  /** Null for ridge. */
  readonly components: number | null
  /** Null for PLS. */
  readonly alpha: number | null
  readonly folds: readonly TrainedFold[]
  /** Regression coefficients per fold, target after target; empty when they are not kept. */
  readonly coefficients: readonly Float64Array[]
}

export interface TrainedBlock {
  readonly variants: readonly TrainedVariant[]
  readonly features: number
  readonly datasetHash: string
  readonly calibrationSize: number
}
