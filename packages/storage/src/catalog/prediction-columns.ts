/** SQL over `p` (a prediction with the catalog's columns and the names of its run and pipeline) for what the catalog derives. */

/** refit before the fold's name: a refit row may carry any fold id. */
export const foldKind = `CASE
  WHEN p.refit_context IS NOT NULL OR p.fold_id LIKE 'final%' THEN 'refit'
  WHEN p.fold_id IN ('avg', 'w_avg', 'avg_agg', 'w_avg_agg') THEN 'average'
  WHEN regexp_full_match(p.fold_id, '(fold_)?[0-9]+(_agg)?') THEN 'fold'
  WHEN p.fold_id = '' THEN 'single'
  ELSE 'other' END`

export const aggregated = "ends_with(p.fold_id, '_agg')"

/** A text as it is searched: whatever its case, its accents and the way in which these are encoded. */
export const searched = (text: string): string => `strip_accents(lower(${text}))`

export const searchText =
  searched(`concat_ws(chr(10), p.prediction_id, p.dataset_name, p.model_name, p.model_class, p.preprocessings, p.best_params,
  p.run_name, p.branch_name, p.chain_id, p.pipeline_id, p.run_id)`)
