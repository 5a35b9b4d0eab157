export type DemoSize = 'tiny' | 'small' | 'large' | 'huge'

/** One search of the laboratory: preprocessings × models on one or more datasets, cross-validated in one way. */
export interface PlannedRun {
  readonly name: string
  readonly datasets: readonly string[]
  readonly preprocessings: readonly string[]
  /** Numbers of latent variables that are tried. */
  readonly components: readonly number[]
  readonly ridge: boolean
  readonly folds: number
  /** Seed of the shuffled k-fold splitter. */
  readonly foldSeed: number
  /** How many of the best variants of each dataset are fitted again on all calibration samples. */
  readonly refits: number
  /** Day and hour after the first run. */
  readonly day: number
  readonly hour: number
  /** Message of the run that broke off, if it did. */
  readonly failure?: string
}

export interface DemoPlan {
  /** Samples per dataset before its relative size, and distance of the wavelengths in nanometres. */
  readonly samples: number
  readonly stepNm: number
  /** Block size of the new store in bytes. */
  readonly blockSize: number
  /** Whether the models of all variants are kept as files, or only the refitted ones. */
  readonly keepFoldModels: boolean
  readonly workers: number
  readonly runs: readonly PlannedRun[]
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

/** Rows of one variant: three partitions for every fold, for `avg` and for `w_avg`. */
export const rowsPerVariant = (folds: number): number => 3 * (folds + 2)

const isClassification = (dataset: string) => dataset.startsWith('olive') || dataset.startsWith('milk')

export const variantsOf = (run: PlannedRun, dataset: string): number =>
  run.preprocessings.length * (run.components.length + (run.ridge && !isClassification(dataset) ? 1 : 0))

/** Prediction rows that a run will leave; a refit has two, for train and test. */
export const plannedRows = (run: PlannedRun): number =>
  run.failure === undefined
    ? run.datasets.reduce((sum, dataset) => sum + variantsOf(run, dataset) * rowsPerVariant(run.folds) + 2 * run.refits, 0)
    : 0
