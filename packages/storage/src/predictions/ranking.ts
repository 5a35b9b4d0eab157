import { type FoldKind, type MetricDirection, metricDirection } from '@nirs-workspace/types'
import { quotedString } from '../engine/attach-store.ts'
import type { ChunkParameter } from '../engine/stream-chunks.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows, type SqlPart } from './catalog-reader.ts'
import { readText } from './value-reader.ts'

export type KnownDirection = Exclude<MetricDirection, 'unknown'>

/** Which rows compete and by which score. */
export interface Contest {
  readonly condition: string
  readonly score: 'val_score' | 'test_score'
}

/** Validation scores of cross-validation, or of a fit without folds: finite ones, never refits nor `_agg` twins. */
export const cvContest = (kinds: readonly FoldKind[] = ['fold', 'average', 'single']): Contest => ({
  condition: `partition = 'val' AND fold_kind IN (${kinds.map(quotedString).join(', ')}) AND refit_context IS NULL
    AND NOT aggregated AND isfinite(val_score)`,
  score: 'val_score',
})

/** Refits by their test score; their val_score is 0.0 or null and says nothing. */
export const refitContest: Contest = {
  condition: "partition = 'test' AND fold_kind = 'refit' AND NOT aggregated AND isfinite(test_score)",
  score: 'test_score',
}

/** Metrics of the rows under a condition, by name. */
export const metricsUnder = (catalog: CatalogReader, { sql, parameters }: SqlPart, options: QueryOptions): Promise<string[]> =>
  readRows(
    catalog,
    { sql: `SELECT DISTINCT metric FROM ${PREDICTIONS} WHERE ${sql} ORDER BY metric`, parameters },
    (value) => readText(value(0)),
    options,
  )

/** Metrics that can be ranked, each with its direction; others are left out. */
export const knownDirections = (metrics: readonly string[]): Map<string, KnownDirection> =>
  new Map(
    metrics.flatMap((metric) => {
      const direction = metricDirection(metric)
      return direction === 'unknown' ? [] : [[metric, direction] as const]
    }),
  )

/** An expression that is smallest for the best score of each metric, and null for metrics that are not in `directions`. */
export const rankingKey = (score: Contest['score'], directions: ReadonlyMap<string, KnownDirection>): SqlPart => {
  const forms: Record<KnownDirection, string> = { higher: `-${score}`, lower: score, zero: `abs(${score})` }
  const parameters: Record<string, ChunkParameter> = {}
  const branches = [...directions].map(([metric, direction], index) => {
    parameters[`m${index}`] = metric
    return `WHEN $m${index} THEN ${forms[direction]}`
  })
  return { sql: branches.length === 0 ? 'NULL::DOUBLE' : `CASE metric ${branches.join(' ')} END`, parameters }
}
