import type { PredictionRow } from '@nirs-workspace/types'
import type { Text } from '../../text/en.ts'

/** nirs4all 0.7.1 to 0.8.4 wrote 0 as the validation score of a refit; it must not look like a perfect one. */
export const isRefitPlaceholder = (row: Pick<PredictionRow, 'fold_kind' | 'val_score'>): boolean =>
  row.fold_kind === 'refit' && row.val_score === 0

/** nirs4all 0.8.1 wrote 0 as the test score where there were no test samples. A row of test samples tells that there were some. */
export const isTestPlaceholder = (row: Pick<PredictionRow, 'partition' | 'test_score'>): boolean =>
  row.partition !== 'test' && row.test_score === 0

/** Why the score in a column stands, or may stand, for none. */
export const placeholderHint = (column: string, row: PredictionRow, { predictions }: Text): string | undefined => {
  if (column === 'val_score' && isRefitPlaceholder(row)) return predictions.refitScore
  return column === 'test_score' && isTestPlaceholder(row) ? predictions.untestedScore : undefined
}
