import type { PredictionRow } from '@nirs-workspace/types'

/** nirs4all 0.7.1 to 0.8.4 wrote 0 as the validation score of a refit; it must not look like a perfect one. */
export const isRefitPlaceholder = (row: Pick<PredictionRow, 'fold_kind' | 'val_score'>): boolean =>
  row.fold_kind === 'refit' && row.val_score === 0
