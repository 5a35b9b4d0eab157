import type { FloatList } from '../engine/number-list.ts'

/** Measured and predicted values side by side. */
export interface Pairs {
  readonly measured: Float64Array
  readonly predicted: Float64Array
  /** Pairs left out because a side was null, NaN or infinite, or had no partner. */
  readonly excluded: number
}

/**
 * The pairs that figures can be computed from: both values finite. What is left out is counted, so that a figure over fewer samples
 * than the prediction has never looks complete. Several targets are flattened, as nirs4all does.
 */
export const pairValues = (yTrue: FloatList, yPred: FloatList): Pairs => {
  const [total, common] = [Math.max(yTrue.values.length, yPred.values.length), Math.min(yTrue.values.length, yPred.values.length)]
  const measured = new Float64Array(common)
  const predicted = new Float64Array(common)
  let count = 0
  for (let index = 0; index < common; index += 1) {
    const [y, z] = [finiteAt(yTrue, index), finiteAt(yPred, index)]
    if (y === null || z === null) continue
    measured[count] = y
    predicted[count] = z
    count += 1
  }
  return { measured: measured.subarray(0, count), predicted: predicted.subarray(0, count), excluded: total - count }
}

const finiteAt = (list: FloatList, index: number): number | null => {
  const value = list.values[index]
  return value === undefined || list.nulls?.[index] === 1 || !Number.isFinite(value) ? null : value
}
