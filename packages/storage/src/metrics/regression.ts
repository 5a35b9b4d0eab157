import { type RegressionFigures, toWireNumber } from '@nirs-workspace/types'
import type { FloatList } from '../engine/number-list.ts'
import { type Pairs, pairValues } from './paired-values.ts'
import { mean, quantile, sum, sumOfSquares } from './summaries.ts'

/**
 * Figures of a regression over the finite pairs; e = predicted − measured. The values are nirs4all's own: bias = mean e; SEP = SD of e
 * and RPD = SD(y)/SEP, both with divisor n (ISO 12099's SEP, divisor n − 1, stands beside as `sep_n1`); R² of a constant y is 1 for a
 * perfect prediction and 0 otherwise, and NaN below two samples. RPIQ = IQR(y)/RMSE; slope and intercept of predicted on measured.
 */
export const regressionFigures = (yTrue: FloatList, yPred: FloatList): RegressionFigures => figuresOf(pairValues(yTrue, yPred))

const figuresOf = ({ measured, predicted, excluded }: Pairs): RegressionFigures => {
  const n = measured.length
  const errors = predicted.map((value, index) => value - (measured[index] ?? Number.NaN))
  const squaredError = sumOfSquares(errors)
  const bias = mean(errors)
  const spreadOfErrors = sumOfSquares(errors, bias)
  const meanMeasured = mean(measured)
  const spread = sumOfSquares(measured, meanMeasured)
  const rmse = Math.sqrt(squaredError / n)
  const sep = Math.sqrt(spreadOfErrors / n)
  const { slope, intercept } = line(measured, predicted, meanMeasured, spread)
  return {
    n,
    excluded,
    rmse: toWireNumber(rmse),
    r2: toWireNumber(determination(n, squaredError, spread)),
    bias: toWireNumber(bias),
    mae: toWireNumber(mean(errors.map(Math.abs))),
    sep: toWireNumber(sep),
    sep_n1: toWireNumber(n > 1 ? Math.sqrt(spreadOfErrors / (n - 1)) : Number.NaN),
    rpd: toWireNumber(ratio(Math.sqrt(spread / n), sep)),
    rpiq: toWireNumber(ratio(quantile(measured, 0.75) - quantile(measured, 0.25), rmse)),
    slope: toWireNumber(slope),
    intercept: toWireNumber(intercept),
  }
}

const determination = (n: number, squaredError: number, spread: number): number => {
  if (n < 2) return Number.NaN
  if (spread === 0) return squaredError === 0 ? 1 : 0
  return 1 - squaredError / spread
}

// A division by zero counts as infinitely good, as in nirs4all; without samples it stays NaN.
const ratio = (numerator: number, denominator: number): number => (denominator === 0 ? Number.POSITIVE_INFINITY : numerator / denominator)

const line = (measured: Float64Array, predicted: Float64Array, meanMeasured: number, spread: number) => {
  const meanPredicted = mean(predicted)
  const products = measured.map((value, index) => (value - meanMeasured) * ((predicted[index] ?? Number.NaN) - meanPredicted))
  const slope = spread === 0 ? Number.NaN : sum(products) / spread
  return { slope, intercept: meanPredicted - slope * meanMeasured }
}
