import { Matrix } from 'ml-matrix'

/** Column means and standard deviations of the samples a model is fitted on. */
export interface ColumnScale {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

const USABLE_DEVIATION = 1e-12

export const columnScale = (matrix: Matrix): ColumnScale => {
  const mean = matrix.mean('column')
  const deviation = matrix.standardDeviation('column', { mean, unbiased: true })
  return { mean, deviation: deviation.map((value) => (value > USABLE_DEVIATION ? value : 1)) }
}

/** A centred and scaled copy. */
export const scaled = (matrix: Matrix, scale: ColumnScale): Matrix =>
  new Matrix(matrix).subRowVector([...scale.mean]).divRowVector([...scale.deviation])
