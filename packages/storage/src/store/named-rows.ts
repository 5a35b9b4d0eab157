import { isSameMetric, metricKey } from '@nirs-workspace/types'

/** What a chain names of its predictions; null where it names nothing. */
interface ChainNames {
  readonly metric: string | null
  readonly dataset_name: string | null
}

/**
 * Those predictions of a chain that its figures are made of, as scores of several metrics or on several datasets have no mean: those of the
 * metric, in any spelling, and the dataset that it names, and where it names none those of the most predictions, else of the first.
 */
export const namedRows = <T extends { readonly metric: string; readonly dataset_name: string }>(
  rows: readonly T[],
  chain: ChainNames,
): readonly T[] => {
  const fitting = rows.filter(
    ({ metric, dataset_name }) => isSameMetric(metric, chain.metric ?? metric) && dataset_name === (chain.dataset_name ?? dataset_name),
  )
  if (chain.metric !== null && chain.dataset_name !== null) return fitting
  const groups = Map.groupBy(fitting, ({ metric, dataset_name }) => JSON.stringify([metricKey(metric), dataset_name]))
  return [...groups.values()].reduce((most, group) => (group.length > most.length ? group : most), [])
}
