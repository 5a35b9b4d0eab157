import { inverse, Matrix } from 'ml-matrix'
import { PLS } from 'ml-pls'
import { columnScale, scaled } from './scale-columns.ts'

/** A PLS model that answers for every number of latent variables up to the one it was fitted with. */
export interface LatentVariableModel {
  readonly components: number
  /** Predictions of one row per sample and one column per target, for 1, 2, … `components` latent variables. */
  predictAll(spectra: Matrix): Matrix[]
  /** Regression coefficients on autoscaled spectra with this many latent variables: columns are targets. */
  coefficients(components: number): Matrix
}

const need = (matrix: Matrix | undefined): Matrix => {
  if (matrix === undefined) throw new Error('The PLS library left a matrix of the fitted model empty')
  return matrix
}

// The declared type asks for a model to load beside the options; the constructor reads it only when the options are `true`.
const NO_MODEL = {}

/**
 * Fits NIPALS-PLS of autoscaled targets on autoscaled spectra. One fit serves every smaller number of latent variables, because
 * each component is found before the next: with R = W(PᵀW)⁻¹ the scores of new samples are X·R, and the prediction with k of them
 * is the sum of the first k terms t·b·qᵀ.
 */
export const fitPls = (spectra: Matrix, targets: Matrix, components: number, tolerance = 1e-5): LatentVariableModel => {
  const xScale = columnScale(spectra)
  const yScale = columnScale(targets)
  const model = new PLS({ latentVectors: components, scale: false, tolerance }, NO_MODEL)
  model.train(scaled(spectra, xScale), scaled(targets, yScale))
  const weights = need(model.W)
  const rotation = weights.mmul(inverse(need(model.P).transpose().mmul(weights)))
  const loadings = need(model.Q)
  const inner = need(model.B).diagonal()

  const unscaled = (matrix: Matrix) => new Matrix(matrix).mulRowVector([...yScale.deviation]).addRowVector([...yScale.mean])
  return {
    components: inner.length,
    predictAll: (rows) => {
      const scores = scaled(rows, xScale).mmul(rotation)
      const sum = Matrix.zeros(rows.rows, targets.columns)
      return inner.map((slope, component) => {
        for (let row = 0; row < sum.rows; row++) {
          const score = slope * scores.get(row, component)
          for (let target = 0; target < sum.columns; target++) {
            sum.set(row, target, sum.get(row, target) + score * loadings.get(target, component))
          }
        }
        return unscaled(sum)
      })
    },
    coefficients: (count) => {
      const last = Math.min(count, inner.length) - 1
      const slopes = Matrix.diag(inner.slice(0, last + 1))
      const used = rotation.subMatrix(0, rotation.rows - 1, 0, last)
      return used.mmul(slopes).mmul(loadings.subMatrix(0, loadings.rows - 1, 0, last).transpose())
    },
  }
}
