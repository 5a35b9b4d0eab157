import { type Catalog, countFacets, listDatasets, quotedNames, StorageError } from '@nirs-workspace/storage'
import { isSameMetric, PredictionFilter } from '@nirs-workspace/types'
import { UsageError } from './output.ts'

/** Refuses datasets that no prediction has. Throws `dataset_not_found`. */
export const requireDatasets = async (catalog: Catalog, names: readonly string[]): Promise<void> => {
  if (names.length === 0) return
  const known = (await listDatasets(catalog)).map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new StorageError('dataset_not_found', `There is no dataset named ${JSON.stringify(unknown)}. Nothing was done.`, {
    hint: known.length === 0 ? 'The workspace has no predictions.' : `There are: ${quotedNames(known)}.`,
  })
}

const options = { partition: '--partition', model_name: '--model', metric: '--metric' } as const

/** Refuses values of an option that no prediction of the workspace has, naming those there are. A metric counts under any of its names. */
export const requireValues = async (catalog: Catalog, column: keyof typeof options, values: readonly string[]): Promise<void> => {
  if (values.length === 0) return
  const { facets } = await countFacets(catalog, PredictionFilter.parse({}), { columns: [column], limit: Number.MAX_SAFE_INTEGER })
  const known = (facets[column]?.values ?? []).map(({ value }) => value ?? '')
  const isKnown = (value: string) => known.some((each) => each === value || (column === 'metric' && isSameMetric(each, value)))
  const unknown = values.find((value) => !isKnown(value))
  if (unknown === undefined) return
  const there = known.length === 0 ? 'The workspace has no predictions.' : `There are: ${quotedNames(known)}.`
  throw new UsageError(`No prediction has the ${options[column].slice(2)} ${JSON.stringify(unknown)}. ${there} Nothing was done.`)
}
