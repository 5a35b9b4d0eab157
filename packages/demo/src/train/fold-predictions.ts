import { Matrix } from 'ml-matrix'
import { fitPls } from '../chemometrics/fit-pls.ts'
import { fitRidge } from '../chemometrics/fit-ridge.ts'
import type { SpectralDataset } from '../spectra/make-dataset.ts'
import type { ModelKind } from './trained-block.ts'

/** What one fitted model says about every sample of the dataset. */
export interface Outcome {
  /** Predicted values, or the most probable class. */
  readonly values: Float64Array
  /** Row-major probabilities; null for regression. */
  readonly proba: Float64Array | null
}

export interface FittedVariant {
  readonly components: number | null
  readonly alpha: number | null
  readonly outcome: Outcome
  readonly coefficients: () => Float64Array
}

/** How sharply discriminant scores (about 0 for other classes, 1 for the own) turn into probabilities. */
const SHARPNESS = 5

/** The tolerance of the inner NIPALS loop; only several targets need more than one turn of it. */
const CLASS_TOLERANCE = 1e-4

const targetsOf = (dataset: SpectralDataset, rows: Int32Array): Matrix => {
  const { classes } = dataset.recipe
  const values = Array.from(rows, (row) => dataset.reference[row] ?? 0)
  if (classes === 0) return Matrix.columnVector(values)
  return new Matrix(values.map((label) => Array.from({ length: classes }, (_, index) => (index === label ? 1 : 0))))
}

const classLabels = (proba: Float64Array, classes: number): Float64Array =>
  Float64Array.from({ length: proba.length / classes }, (_, row) => {
    let best = 0
    for (let label = 1; label < classes; label++) {
      if ((proba[row * classes + label] ?? 0) > (proba[row * classes + best] ?? 0)) best = label
    }
    return best
  })

const probabilities = (scores: Matrix): Float64Array => {
  const proba = new Float64Array(scores.rows * scores.columns)
  for (let row = 0; row < scores.rows; row++) {
    const shares = scores.getRow(row).map((score) => Math.exp(SHARPNESS * score))
    const total = shares.reduce((sum, share) => sum + share, 0)
    for (let label = 0; label < shares.length; label++) proba[row * scores.columns + label] = (shares[label] ?? 0) / total
  }
  return proba
}

const outcomeOf = (predicted: Matrix, classes: number): Outcome => {
  if (classes === 0) return { values: Float64Array.from(predicted.getColumn(0)), proba: null }
  const proba = probabilities(predicted)
  return { values: classLabels(proba, classes), proba }
}

/** Targets one after the other. */
const flat = (matrix: Matrix) => Float64Array.from(matrix.transpose().to1DArray())

/** Fits on the samples `rows` and predicts every sample, once per number of latent variables. */
export const fitVariants = (
  dataset: SpectralDataset,
  spectra: Matrix,
  rows: Int32Array,
  model: ModelKind,
  components: readonly number[],
): FittedVariant[] => {
  const { classes } = dataset.recipe
  const training = spectra.subMatrixRow([...rows])
  const targets = targetsOf(dataset, rows)
  if (model === 'ridge') {
    const ridge = fitRidge(training, targets)
    const { values } = outcomeOf(ridge.predict(spectra), classes)
    const single = values.map(Math.fround)
    return [
      { components: null, alpha: ridge.alpha, outcome: { values: single, proba: null }, coefficients: () => flat(ridge.coefficients) },
    ]
  }
  const pls = fitPls(training, targets, Math.max(...components), classes === 0 ? undefined : CLASS_TOLERANCE)
  const predicted = pls.predictAll(spectra)
  return components.map((count) => {
    const scores = predicted[Math.min(count, predicted.length) - 1] ?? Matrix.zeros(spectra.rows, targets.columns)
    return { components: count, alpha: null, outcome: outcomeOf(scores, classes), coefficients: () => flat(pls.coefficients(count)) }
  })
}

/** The mean of the fold models, weighted. Probabilities are averaged and the class is taken from the average. */
export const averageOutcomes = (outcomes: readonly Outcome[], weights: Float64Array, classes: number): Outcome => {
  const blend = (pick: (outcome: Outcome) => Float64Array): Float64Array => {
    const [first] = outcomes
    const sum = new Float64Array(first === undefined ? 0 : pick(first).length)
    outcomes.forEach((outcome, fold) => {
      const values = pick(outcome)
      const weight = weights[fold] ?? 0
      for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) + weight * (values[index] ?? 0)
    })
    return sum
  }
  if (classes === 0) return { values: blend((outcome) => outcome.values), proba: null }
  const proba = blend((outcome) => outcome.proba ?? outcome.values)
  return { values: classLabels(proba, classes), proba }
}
