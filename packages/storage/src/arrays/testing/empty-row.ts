import type { ArrayRow } from '../array-source.ts'

/** A prediction without any arrays. */
export const emptyRow: ArrayRow = {
  prediction_id: 'a',
  y_true: null,
  y_pred: null,
  y_proba: null,
  y_proba_shape: null,
  sample_indices: null,
  weights: null,
}
