import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { checkGiven } from '../options/check-options.ts'
import { maybeCount, optionsOf } from '../options/option-schemas.ts'
import { filterSql, PredictionFilter } from './prediction-filter.ts'
import { bestFirst, type Direction, rankedSpellings, rankingDirection } from './rank-scores.ts'
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
  const limit = n ?? 10
  const score = `p.${by}_score`
  const found = await competing(engine, others, score, limit)
  const spellings = rankedSpellings(
    found.map(({ metric }) => metric),
    wanted,
  )
  const [first] = spellings
  if (first === undefined) return []
  const { sql, parameters } = filterSql({ ...rest, refit, aggregated, partition, metric: [...spellings] })
  const order = bestFirst(score, 'p.prediction_id', first, direction)
  const columns = columnsFor(PredictionRecord, 'p.')
  if (group_by === undefined) {
    const edge = edgeSql(
      score,
      rankingDirection(first, direction),
      found.filter(({ metric }) => spellings.includes(metric)),
    )
    return engine.rows(
      PredictionRecord,
      `SELECT ${columns} FROM ${seen('predictions')} p WHERE ${sql} AND ${edge} ORDER BY ${order} LIMIT ${limit}`,
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

/** DuckDB keeps no more than so many least values; fewer pay anyway. */
const mostAtEdge = 1000

const Competing = z.object({
  metric: z.string(),
  lower: z.number().nullable(),
  higher: z.number().nullable(),
  zero: z.number().nullable(),
})
type Competing = z.infer<typeof Competing>

/**
 * The metrics that compete, and of each the score of the `limit`th best for every direction; null where it has not as many finite ones. One
 * look at the columns that decide; without it, every row would be sorted with its id.
 */
const competing = async (
  engine: Engine,
  { sql, parameters }: ReturnType<typeof filterSql>,
  score: string,
  limit: number,
): Promise<Competing[]> => {
  const last = (key: string, best: 'min' | 'max') =>
    limit < 1 || limit > mostAtEdge
      ? 'NULL::DOUBLE'
      : `CASE WHEN count(*) FILTER (isfinite(${score})) >= ${limit} THEN list_last(${best}(${key}, ${limit}) FILTER (isfinite(${score})))::DOUBLE END`
  return engine.rows(
    Competing,
    `SELECT metric, ${last(score, 'min')} AS lower, ${last(score, 'max')} AS higher, ${last(`abs(${score})`, 'min')} AS zero
     FROM ${seen('predictions')} p WHERE ${sql} GROUP BY metric ORDER BY metric`,
    parameters,
  )
}

/** What the best of these spellings, as many as are asked for, fulfil; few others do. True where there are not as many. */
const edgeSql = (score: string, direction: Direction, spellings: readonly Competing[]): string => {
  const edges = spellings.flatMap((one) => one[direction] ?? [])
  if (edges.length === 0) return 'true'
  if (direction === 'higher') return `isfinite(${score}) AND ${score} >= ${literal(Math.max(...edges))}`
  return `isfinite(${score}) AND ${direction === 'zero' ? `abs(${score})` : score} <= ${literal(Math.min(...edges))}`
}

/** As text: a number without quotes is a DECIMAL first, and of many digits not always the same double. */
const literal = (value: number): string => `'${value}'::DOUBLE`
