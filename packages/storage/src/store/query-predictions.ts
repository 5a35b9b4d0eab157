import { metricDirection } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeCount, optionsOf } from '../options/option-schemas.ts'
import { filterSql, PredictionFilter } from './prediction-filter.ts'
import { columnsFor, PredictionRecord } from './store-rows.ts'
import { seen } from './store-session.ts'

export interface Page {
  /** Default 100. */
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

export const PageChoice = optionsOf<Page>({ limit: maybeCount, offset: maybeCount })

/** Newest first; ties by id, so that pages neither repeat nor leave out. */
export const queryPredictions = async (engine: Engine, filter: PredictionFilter, page: Page = {}): Promise<PredictionRecord[]> => {
  checkGiven(PageChoice, page, 'the page')
  const { sql, parameters } = filterSql(filter)
  return engine.rows(
    PredictionRecord,
    `SELECT ${columnsFor(PredictionRecord, 'p.')} FROM ${seen('predictions')} p WHERE ${sql}
     ORDER BY p.created_at DESC, p.prediction_id LIMIT ${page.limit ?? 100} OFFSET ${page.offset ?? 0}`,
    parameters,
  )
}

export interface TopOptions extends PredictionFilter {
  /** Default 10; with `group_by`, of every group. */
  readonly n?: number | undefined
  /** Which score ranks. Default `val`; refits are ranked by `test`, whatever their validation score says. */
  readonly by?: 'val' | 'test' | 'train' | undefined
  readonly group_by?: 'dataset_name' | 'model_name' | 'model_class' | 'preprocessings' | 'pipeline_id' | 'chain_id' | undefined
  /** For metrics whose direction the table does not know. */
  readonly direction?: 'higher' | 'lower' | 'zero' | undefined
}

const Ranking = PredictionFilter.extend({
  n: maybeCount,
  by: z.enum(['val', 'test', 'train']).optional(),
  group_by: z.enum(['dataset_name', 'model_name', 'model_class', 'preprocessings', 'pipeline_id', 'chain_id']).optional(),
  direction: z.enum(['higher', 'lower', 'zero']).optional(),
})

/**
 * The best predictions of one metric, best first; non-finite scores last, ties by id. Without `refit`, `aggregated` and `partition`: rows of
 * cross-validation of the ranked partition. Throws `validation` when several metrics compete, `metric_direction_unknown`.
 */
export const topPredictions = async (engine: Engine, options: TopOptions = {}): Promise<PredictionRecord[]> => {
  checkGiven(Ranking, options)
  const { n, by = options.refit === true ? 'test' : 'val', group_by, direction, ...filter } = options
  const { refit = false, aggregated = false, partition = by, ...rest } = filter
  const { sql, parameters } = filterSql({ ...rest, refit, aggregated, partition })
  const metrics = await engine.rows(
    z.object({ metric: z.string() }),
    `SELECT DISTINCT metric FROM ${seen('predictions')} p WHERE ${sql} ORDER BY 1`,
    parameters,
  )
  const [first, second] = metrics
  if (first === undefined) return []
  if (second !== undefined) throw several(metrics.map(({ metric }) => metric))
  const key = rankingKey(`p.${by}_score`, direction ?? knownDirection(first.metric))
  const order = `(${key} IS NULL OR NOT isfinite(${key})), ${key}, p.prediction_id`
  const limit = n ?? 10
  const columns = columnsFor(PredictionRecord, 'p.')
  if (group_by === undefined) {
    return engine.rows(
      PredictionRecord,
      `SELECT ${columns} FROM ${seen('predictions')} p WHERE ${sql} ORDER BY ${order} LIMIT ${limit}`,
      parameters,
    )
  }
  return engine.rows(
    PredictionRecord,
    `SELECT ${columns} FROM ${seen('predictions')} p WHERE ${sql}
     QUALIFY row_number() OVER (PARTITION BY p.${group_by} ORDER BY ${order}) <= ${limit} ORDER BY p.${group_by}, ${order}`,
    parameters,
  )
}

const rankingKey = (score: string, direction: 'higher' | 'lower' | 'zero'): string =>
  ({ higher: `-${score}`, lower: score, zero: `abs(${score})` })[direction]

const knownDirection = (metric: string): 'higher' | 'lower' | 'zero' => {
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
