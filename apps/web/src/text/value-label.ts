import type { FacetColumn } from '@nirs-workspace/types'
import type { Text } from './en.ts'
import { metricName } from './metric-name.ts'

const named = (names: Readonly<Record<string, string>>, value: string): string =>
  Object.entries(names).find(([key]) => key === value)?.[1] ?? value

/** How a stored value is shown, the same in cells, filters and chips; names that users gave stay as they are. */
export const valueLabel = (column: FacetColumn, value: string, text: Text): string => {
  if (column === 'dataset_name') return datasetLabel(value, text)
  if (value === '') return column === 'preprocessings' ? text.common.none : text.common.empty
  if (column === 'fold_kind') return named(text.foldKinds, value)
  if (column === 'task_type') return taskLabel(value, text)
  if (column === 'metric') return metricName(text, value)
  // The rows of a file that cannot be read are among those without.
  if (column === 'has_arrays') return value === 'true' ? text.common.yes : text.predictions.noArrays
  if (column === 'aggregated') return value === 'true' ? text.common.yes : text.common.no
  return value
}

export const taskLabel = (task: string, text: Text): string => named(text.taskTypes, task)

/** A dataset may have no name at all; a blank would look like a mistake of ours. */
export const datasetLabel = (name: string, text: Text): string => (name.trim() === '' ? text.common.emptyName : name)
