import type { FacetColumn } from '@nirs-workspace/types'
import type { Text } from './en.ts'
import { metricAmong } from './metric-name.ts'

const named = (names: Readonly<Record<string, string>>, value: string): string =>
  Object.entries(names).find(([key]) => key === value)?.[1] ?? value

/**
 * How a stored value is shown, the same in cells, filters and chips; names that users gave stay as they are. `all`: the values that it
 * stands among and is to be told apart from.
 */
export const valueLabel = (column: FacetColumn, value: string, text: Text, all: readonly string[] = []): string => {
  if (column === 'dataset_name') return datasetLabel(value, text)
  if (value === '') return column === 'preprocessings' ? text.common.none : text.common.empty
  if (column === 'fold_kind') return named(text.foldKinds, value)
  if (column === 'task_type') return taskLabel(value, text)
  if (column === 'metric') return metricAmong(text, value, all)
  // The rows of a file that cannot be read are among those without.
  if (column === 'has_arrays') return value === 'true' ? text.common.yes : text.predictions.noArrays
  if (column === 'aggregated') return value === 'true' ? text.common.yes : text.common.no
  return value
}

export const taskLabel = (task: string, text: Text): string => named(text.taskTypes, task)

/**
 * The one way in which the name of a dataset is shown: different names look different. What a page would not show is named between ‹ and ›:
 * no name at all, blanks at the ends or several in a row, and other characters that cannot be seen.
 */
export const datasetLabel = (name: string, { common }: Text): string =>
  name === ''
    ? `‹${common.emptyName}›`
    : name.replaceAll(unseen, (run, of: string) => `‹${unseenName(of, run.length / of.length, common)}›`)

/** Runs of one character. Joiners are part of the spelling of some languages; ‹ itself is named since it begins what is not of the name. */
const unseen = /((?<=^ *| ) | (?= *$| )|‹|(?! |\u200c|\u200d)[\s\p{Cc}\p{Cf}])\1*/gu

const unseenName = (character: string, times: number, { unseen: names }: Text['common']): string => {
  const known: Readonly<Record<string, string>> = { ' ': names.space, '\t': names.tab, '\n': names.lineBreak, '\u00a0': names.noBreakSpace }
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `${known[character] ?? `U+${code}`}${times === 1 ? '' : ` ×${times}`}`
}
