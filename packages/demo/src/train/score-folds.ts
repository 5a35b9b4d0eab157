import { scoreClassification } from '../chemometrics/score-classification.ts'
import { type ScoreTable, scoreRegression } from '../chemometrics/score-regression.ts'
import type { SpectralDataset } from '../spectra/make-dataset.ts'
import { pythonJson } from '../write/python-json.ts'
import { averageOutcomes, type Outcome } from './fold-predictions.ts'
import type { FoldSplit } from './split-folds.ts'
import type { Partition, TrainedFold, TrainedRow } from './trained-block.ts'

/** The metric that 0.7.x ranks by. */
export const primaryMetric = (classes: number): 'mse' | 'balanced_accuracy' => (classes === 0 ? 'mse' : 'balanced_accuracy')

const pick = (values: Float64Array, rows: Int32Array): Float64Array => Float64Array.from(rows, (row) => values[row] ?? 0)

const pickProba = (proba: Float64Array | null, rows: Int32Array, classes: number): Float64Array | null => {
  if (proba === null) return null
  const result = new Float64Array(rows.length * classes)
  rows.forEach((row, index) => {
    result.set(proba.subarray(row * classes, (row + 1) * classes), index * classes)
  })
  return result
}

/** Scores and shapes the rows of one dataset; keeps the measured values of a partition once however many rows show them. */
export const foldScorer = (dataset: SpectralDataset) => {
  const { classes } = dataset.recipe
  const metric = primaryMetric(classes)
  const truths = new Map<Int32Array, Float64Array>()
  const all = Int32Array.from(dataset.reference, (_, index) => index)
  const calibration = all.subarray(0, dataset.calibrationSize).slice()
  const test = all.subarray(dataset.calibrationSize).slice()

  const truthOf = (rows: Int32Array) => {
    const known = truths.get(rows) ?? pick(dataset.reference, rows)
    truths.set(rows, known)
    return known
  }
  const rowOf = (partition: Partition, outcome: Outcome, rows: Int32Array): TrainedRow => ({
    partition,
    yTrue: truthOf(rows),
    yPred: pick(outcome.values, rows),
    yProba: pickProba(outcome.proba, rows, classes),
    sampleIndices: rows,
  })
  const tableOf = (row: TrainedRow): ScoreTable =>
    classes === 0 ? scoreRegression(row.yTrue, row.yPred) : scoreClassification(row.yTrue, row.yPred, classes === 2)
  const primary = (table: ScoreTable) => Number(table[metric])

  const foldRows = (foldId: string, outcome: Outcome, split: FoldSplit): Omit<TrainedFold, 'weights'> => {
    const rows = [rowOf('train', outcome, split.train), rowOf('val', outcome, split.val), rowOf('test', outcome, test)] as const
    const [train, val, tested] = [tableOf(rows[0]), tableOf(rows[1]), tableOf(rows[2])]
    return {
      foldId,
      val: primary(val),
      test: primary(tested),
      train: primary(train),
      scores: pythonJson({ train, val, test: tested }),
      rows,
    }
  }

  // 0.7.x stores, for avg and w_avg, the averaged predictions of all calibration samples as `val` too, but with the mean of the
  // folds' own validation scores as its primary score: recomputing from the arrays does not give it.
  const averageRows = (foldId: string, outcome: Outcome, val: number): Omit<TrainedFold, 'weights'> => {
    const train = rowOf('train', outcome, calibration)
    const tested = rowOf('test', outcome, test)
    const table = tableOf(train)
    const testTable = tableOf(tested)
    const scores = pythonJson({ train: table, val: { ...table, [metric]: val }, test: testTable })
    return { foldId, val, test: primary(testTable), train: primary(table), scores, rows: [train, { ...train, partition: 'val' }, tested] }
  }

  const foldWeights = (scores: readonly number[]) => {
    const merits = scores.map((score) => (classes === 0 ? 1 / score : score))
    const total = merits.reduce((sum, merit) => sum + merit, 0)
    return Float64Array.from(merits, (merit) => merit / total)
  }

  return {
    calibration,
    /** The rows of one cross-validated variant: its folds, then avg and w_avg. */
    crossValidated: (outcomes: readonly Outcome[], splits: readonly FoldSplit[]): TrainedFold[] => {
      const folds = outcomes.map((outcome, index) =>
        foldRows(String(index), outcome, splits[index] ?? { train: calibration, val: calibration }),
      )
      const vals = folds.map((fold) => fold.val)
      const weights = foldWeights(vals)
      const equal = weights.map(() => 1 / weights.length)
      const weightedVal = (shares: Float64Array) => vals.reduce((sum, val, index) => sum + val * (shares[index] ?? 0), 0)
      const averaged = [
        averageRows('avg', averageOutcomes(outcomes, equal, classes), weightedVal(equal)),
        averageRows('w_avg', averageOutcomes(outcomes, weights, classes), weightedVal(weights)),
      ]
      return [...folds, ...averaged].map((fold) => ({ ...fold, weights }))
    },
    /** The rows of a model fitted on all calibration samples. */
    refitted: (outcome: Outcome): TrainedFold => {
      const rows = [rowOf('train', outcome, calibration), rowOf('test', outcome, test)] as const
      const [train, tested] = [tableOf(rows[0]), tableOf(rows[1])]
      const scores = pythonJson({ train, val: {}, test: tested })
      return { foldId: 'final', val: 0, test: primary(tested), train: primary(train), scores, weights: Float64Array.of(1), rows }
    },
  }
}
