import type { FoldKind } from '@nirs-workspace/types'
import type { Text } from './en.ts'

/** What a validation score is of: all folds together, one of them, or no cross-validation at all. */
export const foldWords = ({ fold_kind, fold_id }: { fold_kind: FoldKind; fold_id: string }, { overview }: Text): string => {
  if (fold_kind === 'average') return overview.overFolds(fold_id)
  return fold_kind === 'single' ? overview.noCrossValidation : overview.oneFold(fold_id)
}
