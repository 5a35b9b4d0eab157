/** Rows of twins that average over repetitions; they hold the same models once more. */
export const isAggregated = "fold_id LIKE '%\\_agg' ESCAPE '\\'"
/** A fold of cross-validation, or the one fit without folds: not an average over folds, not a refit. */
export const isRealFold = `refit_context IS NULL AND fold_id NOT IN ('avg', 'w_avg', 'final', 'ensemble', 'all') AND NOT (${isAggregated})`
/** A refit, whatever its fold is called. */
export const isFinalFit = `(refit_context IS NOT NULL OR fold_id = 'final') AND NOT (${isAggregated})`
