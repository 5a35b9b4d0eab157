import { isSameMetric, metricDirection, spellingsByMetric } from '@nirs-workspace/types'
import { StorageError } from '../errors.ts'

/** For metrics whose direction the table does not know. */
export type Direction = 'higher' | 'lower' | 'zero'

/**
 * Of the metrics that compete, the spellings of the one whose scores are ranked; none where nothing competes. Throws `validation` when several
 * do.
 */
export const rankedSpellings = (found: readonly string[], wanted: string | readonly string[] | undefined): readonly string[] => {
  const competing = found.filter((metric) => wanted === undefined || [wanted].flat().some((name) => isSameMetric(metric, name)))
  const [spellings = [], second] = spellingsByMetric(competing)
  if (second !== undefined) throw several(competing)
  return spellings
}

/**
 * The `ORDER BY` that has the best score first: non-finite ones last, ties by the column `id`. Throws `metric_direction_unknown` for a metric
 * that the table does not know when no direction is given.
 */
export const bestFirst = (score: string, id: string, metric: string, given: Direction | undefined): string => {
  const key = { higher: `-${score}`, lower: score, zero: `abs(${score})` }[rankingDirection(metric, given)]
  return `(${key} IS NULL OR NOT isfinite(${key})), ${key}, ${id}`
}

/** Throws as `bestFirst` does. */
export const rankingDirection = (metric: string, given: Direction | undefined): Direction => {
  if (given !== undefined) return given
  const direction = metricDirection(metric)
  if (direction !== 'unknown') return direction
  throw new StorageError('metric_direction_unknown', `It is unknown whether more or less of ${metric.slice(0, 100)} is better.`, {
    hint: 'Give the direction: higher, lower or zero.',
  })
}

const several = (metrics: readonly string[]) =>
  new StorageError('validation', `Scores of several metrics cannot be ranked together: ${metrics.slice(0, 10).join(', ')}.`, {
    hint: 'Name one metric.',
  })
