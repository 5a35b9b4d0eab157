import { StorageError } from '../errors.ts'
import type { ArrayRow } from './array-source.ts'
import { fileOfPlace } from './file-of-place.ts'

/** How long the lists of a row are; null for one that is not there or was not read. */
export interface ListLengths {
  readonly y_true: number | null
  readonly y_pred: number | null
  readonly sample_indices: number | null
}

export const lengthsOf = ({ y_true, y_pred, sample_indices }: Pick<ArrayRow, keyof ListLengths>): ListLengths => ({
  y_true: y_true?.values.length ?? null,
  y_pred: y_pred?.values.length ?? null,
  sample_indices: sample_indices?.values.length ?? null,
})

/**
 * Whether a row of these lengths can be that of a prediction with so many samples (null or 0: the store does not say): as many values, or a
 * multiple of them where several targets lie one after the other. One of y_true and y_pred that fits is enough: two that differ are another matter.
 */
export const fitsSamples = (samples: number | null, { y_true, y_pred, sample_indices }: ListLengths): boolean => {
  if (samples === null || samples <= 0) return true
  const given = [y_true, y_pred].filter((length) => length !== null && length > 0)
  const severalTargets = sample_indices === null || sample_indices === 0 || sample_indices === samples
  return given.length === 0 || given.some((length) => length === samples || (severalTargets && Number(length) % samples === 0))
}

/** `NOT fitsSamples` in SQL; null lengths and samples as there. Each is an expression. */
export const misfitSql = (samples: string, { y_true, y_pred, sample_indices }: Record<keyof ListLengths, string>): string => {
  const fits = (length: string) => `(${length} > 0 AND (${length} = ${samples} OR (coalesce(${sample_indices}, 0) IN (0, ${samples})
    AND ${length} % ${samples} = 0)))`
  return `(coalesce(${samples}, 0) > 0 AND greatest(coalesce(${y_true}, 0), coalesce(${y_pred}, 0)) > 0
    AND NOT coalesce(${fits(y_true)}, false) AND NOT coalesce(${fits(y_pred)}, false))`
}

/** `arrays_corrupt` for rows whose arrays are those of something else: an id in a file may have changed. `source` is their `array_source`. */
export const foreignArrays = (source: string, ids: readonly string[]): StorageError => {
  const place = fileOfPlace(source)
  const [first = ''] = ids
  const others = ids.length > 1 ? ` and ${ids.length - 1} more` : ''
  return new StorageError(
    'arrays_corrupt',
    `The arrays that ${place} has for prediction ${first}${others} do not have as many values as the store says it has samples: they are not its own. Nothing was read from there or changed.`,
    { path: place, ids: ids.slice(0, 100), hint: 'Restore the file from a backup; `verify` names every such prediction.' },
  )
}
