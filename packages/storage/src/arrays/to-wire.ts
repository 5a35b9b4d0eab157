import { type PredictionArrays, toWireNumber, type WireNumber } from '@nirs-workspace/types'
import { elementsOf, type NumberList } from '../engine/number-list.ts'
import type { ArrayRow } from './array-source.ts'

/** Arrays as JSON travels: non-finite numbers as strings, null elements as null. −0 becomes 0; the binary form keeps it. */
export const toWireArrays = (row: ArrayRow): PredictionArrays => ({
  prediction_id: row.prediction_id,
  y_true: wireList(row.y_true),
  y_pred: wireList(row.y_pred),
  y_proba: wireList(row.y_proba),
  y_proba_shape: row.y_proba_shape === null ? null : [...row.y_proba_shape],
  sample_indices: row.sample_indices === null ? null : elementsOf(row.sample_indices),
  weights: wireList(row.weights),
})

const wireList = (list: NumberList | null): (WireNumber | null)[] | null =>
  list === null ? null : elementsOf(list).map((value) => (value === null ? null : toWireNumber(value)))
