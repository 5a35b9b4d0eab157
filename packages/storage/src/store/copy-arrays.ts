import type { ExtraInput, FloatInput, IntegerInput } from '../array-store/array-record.ts'
import type { PredictionArrays } from './prediction-input.ts'

/** With lists of its own: a caller may fill the same ones anew for the next prediction before these are saved. */
export const copyArrays = (arrays: PredictionArrays): PredictionArrays => ({
  ...arrays,
  y_true: copyOf(arrays.y_true),
  y_pred: copyOf(arrays.y_pred),
  y_proba: copyOf(arrays.y_proba),
  y_proba_shape: copyOf(arrays.y_proba_shape),
  sample_indices: copyOf(arrays.sample_indices),
  weights: copyOf(arrays.weights),
  extra: arrays.extra && Object.fromEntries(Object.entries(arrays.extra).map(([name, value]) => [name, copyOf(value)])),
})

function copyOf(list: FloatInput | null | undefined): FloatInput | null | undefined
function copyOf(list: IntegerInput | null | undefined): IntegerInput | null | undefined
function copyOf(value: ExtraInput): ExtraInput
function copyOf(value: ExtraInput | undefined): ExtraInput | undefined {
  if (value instanceof Float64Array || value instanceof Int32Array) return value.slice()
  if (Array.isArray(value)) return [...value]
  if (value === null || typeof value !== 'object' || !('nulls' in value)) return value
  const { values } = value
  const nulls = value.nulls?.slice() ?? null
  return values instanceof Float64Array ? { values: values.slice(), nulls } : { values: values.slice(), nulls }
}
