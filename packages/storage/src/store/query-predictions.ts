import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeCount, optionsOf } from '../options/option-schemas.ts'
import { filterSql, PredictionFilter } from './prediction-filter.ts'
import { bestFirst, type Direction, rankedSpellings } from './rank-scores.ts'
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
  readonly direction?: Direction | undefined
}

const Ranking = PredictionFilter.extend({
  n: maybeCount,
  by: z.enum(['val', 'test', 'train']).optional(),
  group_by: z.enum(['dataset_name', 'model_name', 'model_class', 'preprocessings', 'pipeline_id', 'chain_id']).optional(),
  direction: z.enum(['higher', 'lower', 'zero']).optional(),
})

/**
 * The best predictions of one metric, in all its spellings, best first; non-finite scores last, ties by id. Without `refit`, `aggregated` and `partition`: rows of
 * cross-validation of the ranked partition. Throws `validation` when several metrics compete, `metric_direction_unknown`.
 */
export const topPredictions = async (engine: Engine, options: TopOptions = {}): Promise<PredictionRecord[]> => {
  checkGiven(Ranking, options)
  const { n, by = options.refit === true ? 'test' : 'val', group_by, direction, ...filter } = options
  const { refit = false, aggregated = false, partition = by, metric: wanted, ...rest } = filter
  const others = filterSql({ ...rest, refit, aggregated, partition })
  const found = await engine.rows(
    z.object({ metric: z.string() }),
    `SELECT DISTINCT metric FROM ${seen('predictions')} p WHERE ${others.sql} ORDER BY 1`,
    others.parameters,
  )
  const spellings = rankedSpellings(
    found.map(({ metric }) => metric),
    wanted,
  )
  const [first] = spellings
  if (first === undefined) return []
  const { sql, parameters } = filterSql({ ...rest, refit, aggregated, partition, metric: [...spellings] })
  const order = bestFirst(`p.${by}_score`, 'p.prediction_id', first, direction)
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
