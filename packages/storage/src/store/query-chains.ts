import * as z from 'zod'
import type { Engine, EngineParameters } from '../engine/open-engine.ts'
import { checkGiven, parseGiven } from '../options/check-options.ts'
import { maybeCount } from '../options/option-schemas.ts'
import { type Page, PageChoice } from './query-predictions.ts'
import { bestFirst, type Direction, rankedSpellings } from './rank-scores.ts'
import { ChainRecord, columnsFor } from './store-rows.ts'
import { seen } from './store-session.ts'

const oneOrSome = z.union([z.string(), z.array(z.string())]).optional()

/** Values are compared exactly; a list means any of it, and an empty list nothing. */
export const ChainFilter = z.strictObject({
  run_id: oneOrSome,
  pipeline_id: oneOrSome,
  dataset_name: oneOrSome,
  model_name: oneOrSome,
  model_class: oneOrSome,
  preprocessings: oneOrSome,
  metric: oneOrSome,
  task_type: oneOrSome,
})
export type ChainFilter = z.infer<typeof ChainFilter>

/** The condition of a filter over `c`. Throws `validation` for a filter that does not exist. */
const filterSql = (filter: ChainFilter): { sql: string; parameters: EngineParameters } => {
  const given = Object.entries(parseGiven(ChainFilter, filter, { name: 'the filter' })).filter(([, value]) => value !== undefined)
  const runOf = `(SELECT run_id FROM ${seen('pipelines')} l WHERE l.pipeline_id = c.pipeline_id)`
  return {
    sql: ['true', ...given.map(([name]) => `list_contains($${name}::JSON::VARCHAR[], ${name === 'run_id' ? runOf : `c.${name}`})`)].join(
      ' AND ',
    ),
    parameters: Object.fromEntries(given.map(([name, value]) => [name, JSON.stringify([value].flat())])),
  }
}

/** Newest first; ties by id, so that pages neither repeat nor leave out. The figures are those that the store has of the chains. */
export const listChains = async (engine: Engine, filter: ChainFilter = {}, page: Page = {}): Promise<ChainRecord[]> => {
  const { sql, parameters } = filterSql(filter)
  checkGiven(PageChoice, page, 'the page')
  return engine.rows(
    ChainRecord,
    `SELECT ${columnsFor(ChainRecord, 'c.')} FROM ${seen('chains')} c WHERE ${sql}
     ORDER BY c.created_at DESC, c.chain_id LIMIT ${page.limit ?? 100} OFFSET ${page.offset ?? 0}`,
    parameters,
  )
}

const figures = ['cv_val_score', 'cv_test_score', 'cv_train_score', 'final_test_score', 'final_train_score'] as const
const groups = ['dataset_name', 'model_name', 'model_class', 'preprocessings', 'pipeline_id'] as const

export interface TopChainOptions extends ChainFilter {
  /** Default 10; with `group_by`, of every group. */
  readonly n?: number | undefined
  /** Which figure ranks. Default `cv_val_score`, the mean over the real folds. */
  readonly by?: (typeof figures)[number] | undefined
  readonly group_by?: (typeof groups)[number] | undefined
  /** For metrics whose direction the table does not know. */
  readonly direction?: Direction | undefined
}

const Ranking = ChainFilter.extend({
  n: maybeCount,
  by: z.enum(figures).optional(),
  group_by: z.enum(groups).optional(),
  direction: z.enum(['higher', 'lower', 'zero']).optional(),
})

/**
 * The best chains of one metric, in all its spellings, best first; non-finite figures last, ties by id. Chains that have no such figure are left
 * out: those without folds or without a refit, and all of stores before 0.8.1, whose figures a migration works out. Throws `validation` when
 * several metrics compete, `metric_direction_unknown`.
 */
export const topChains = async (engine: Engine, options: TopChainOptions = {}): Promise<ChainRecord[]> => {
  checkGiven(Ranking, options)
  const { n = 10, by = 'cv_val_score', group_by, direction, metric: wanted, ...rest } = options
  const others = filterSql(rest)
  const found = await engine.rows(
    z.object({ metric: z.string() }),
    `SELECT DISTINCT metric FROM ${seen('chains')} c WHERE ${others.sql} AND c.metric IS NOT NULL AND c.${by} IS NOT NULL ORDER BY 1`,
    others.parameters,
  )
  const spellings = rankedSpellings(
    found.map(({ metric }) => metric),
    wanted,
  )
  const [first] = spellings
  if (first === undefined) return []
  const { sql, parameters } = filterSql({ ...rest, metric: [...spellings] })
  const order = bestFirst(`c.${by}`, 'c.chain_id', first, direction)
  const ranked = `SELECT ${columnsFor(ChainRecord, 'c.')} FROM ${seen('chains')} c WHERE ${sql} AND c.${by} IS NOT NULL`
  return engine.rows(
    ChainRecord,
    group_by === undefined
      ? `${ranked} ORDER BY ${order} LIMIT ${n}`
      : `${ranked} QUALIFY row_number() OVER (PARTITION BY c.${group_by} ORDER BY ${order}) <= ${n} ORDER BY c.${group_by}, ${order}`,
    parameters,
  )
}
