import { CholeskyDecomposition, Matrix } from 'ml-matrix'

export interface RidgeModel {
  /** The penalty that was used. */
  readonly alpha: number
  readonly coefficients: Matrix
  predict(spectra: Matrix): Matrix
}

/** Share of the mean squared signal of a wavelength that the penalty is set to. */
const RELATIVE_PENALTY = 2e-2

/** Ridge regression on centred spectra: (XᵀX + αI)·b = Xᵀy. */
export const fitRidge = (spectra: Matrix, targets: Matrix): RidgeModel => {
  const xMean = spectra.mean('column')
  const yMean = targets.mean('column')
  const x = new Matrix(spectra).subRowVector(xMean)
  const y = new Matrix(targets).subRowVector(yMean)
  const transposed = x.transpose()
  const gram = transposed.mmul(x)
  const alpha = Number(((RELATIVE_PENALTY * gram.trace()) / gram.rows).toPrecision(3))
  for (let index = 0; index < gram.rows; index++) gram.set(index, index, gram.get(index, index) + alpha)
  const coefficients = new CholeskyDecomposition(gram).solve(transposed.mmul(y))
  return {
    alpha,
    coefficients,
    predict: (rows) => new Matrix(rows).subRowVector(xMean).mmul(coefficients).addRowVector(yMean),
  }
}
