import { findMetric } from '@nirs-workspace/types/metric'
import { useQuery } from '@tanstack/react-query'
import { facetsQuery } from '../../api/queries.ts'
import { filterParams, type PredictionSearch } from './search.ts'

/**
 * Whether the RMSE of validation is one of cross-validation in all rows under the filters, as far as anybody knows yet. Refits have no such
 * score; a fit without folds took its test samples for it.
 */
export const useCrossValidated = (workspace: string, search: PredictionSearch, metrics: readonly string[]): boolean => {
  const [metric = '', ...others] = metrics
  const asked = others.length === 0 && findMetric(metric)?.name === 'rmse'
  const { data } = useQuery({ ...facetsQuery(workspace, filterParams(search)), enabled: asked })
  // The kinds that are there are counted without the filter of kinds itself.
  const there = data?.facets.fold_kind?.values.map(({ value }) => value ?? '')
  const chosen = search.fold_kind
  const kinds = there?.filter((kind) => chosen === undefined || chosen.includes(kind)) ?? chosen ?? []
  const scored = kinds.filter((kind) => kind !== 'refit')
  return scored.every((kind) => kind === 'fold' || kind === 'average') && (scored.length > 0 || kinds.length === 0)
}
