import { type FoldKind, type MetricDirection, metricDirection, metricKey, type PredictionRow } from '@nirs-workspace/types'
import { quotedString } from '../engine/attach-store.ts'
import type { ChunkParameter } from '../engine/stream-chunks.ts'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows, type SqlPart } from './catalog-reader.ts'
import { predictionColumns, readPredictionRow } from './row-sql.ts'
import { rowsByRowid } from './rows-by-rowid.ts'
import { readNumber, readText } from './value-reader.ts'

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

/** The rows of catalog/fill-leaders.ts: few, with all that is shown of them. */
export const LEADERS = 'catalog.leaders'
export type RankedTable = typeof PREDICTIONS | typeof LEADERS

/** Metrics of the rows under a condition, by name. */
export const metricsUnder = (
  catalog: CatalogReader,
  { sql, parameters }: SqlPart,
  options: QueryOptions,
  table: RankedTable = PREDICTIONS,
): Promise<string[]> =>
  readRows(
    catalog,
    { sql: `SELECT DISTINCT metric FROM ${table} WHERE ${sql} ORDER BY metric`, parameters },
    (value) => readText(value(0)),
    options,
  )

/** An expression that is the same for every spelling of one metric. */
export const metricKeySql = (metrics: Iterable<string>): SqlPart => {
  const parameters: Record<string, ChunkParameter> = {}
  const branches = [...metrics]
    .filter((metric) => metricKey(metric) !== metric)
    .map((metric, index) => {
      parameters[`spelling${index}`] = metric
      parameters[`metric${index}`] = metricKey(metric)
      return `WHEN $spelling${index} THEN $metric${index}`
    })
  return { sql: branches.length === 0 ? 'metric' : `CASE metric ${branches.join(' ')} ELSE metric END`, parameters }
}

/** Metrics that can be ranked, each with its direction; others are left out. */
export const knownDirections = (metrics: readonly string[]): Map<string, KnownDirection> =>
  new Map(
    metrics.flatMap((metric) => {
      const direction = metricDirection(metric)
      return direction === 'unknown' ? [] : [[metric, direction] as const]
    }),
  )

export interface Podium {
  readonly contest: Contest
  readonly directions: ReadonlyMap<string, KnownDirection>
  /** Rows are ranked within each value of these and within their metric, in all its spellings. */
  readonly within: readonly ('run_id' | 'dataset_name' | 'fold_kind')[]
  /** Rows per group. */
  readonly n: number
  readonly narrowing?: SqlPart | undefined
  /** Where the rows that can be among the best are; default: all predictions. */
  readonly table?: RankedTable | undefined
}

/** The n best rows of every group, best first, groups in order; ties by prediction_id. Metrics without a direction are left out. */
export const bestRows = async (catalog: CatalogReader, podium: Podium, options: QueryOptions): Promise<PredictionRow[]> => {
  if (podium.table === LEADERS) return readRows(catalog, leadersSql(podium), readPredictionRow, options)
  const { sql, parameters } = podiumSql(podium)
  const rowids = await readRows(catalog, { sql, parameters }, (value) => readNumber(value(0)), options)
  return rowsByRowid(catalog, Int32Array.from(rowids), options)
}

/** How many least values DuckDB does not tell. */
const tooMany = 1_000_000

/** The score of the nth best row comes first, so that only rows as good as that are sorted with their ids. */
const podiumSql = (podium: Podium): SqlPart => {
  const { key, spelled, groups, condition, parameters } = partsOf(podium)
  const { within, n } = podium
  const grouped = [...within, `${spelled.sql} AS metric_key`].join(', ')
  const source = `FROM ${PREDICTIONS} WHERE ${condition}`
  const edge = n < tooMany ? `list_last(min(key, ${n}))` : 'max(key)'
  const sql = `WITH edges AS (
      SELECT ${groups}, ${edge} AS edge FROM (SELECT ${grouped}, ${key.sql} AS key ${source})
      WHERE key IS NOT NULL GROUP BY ${groups})
    SELECT place::INTEGER FROM (SELECT ${grouped}, prediction_id, rowid AS place, ${key.sql} AS key ${source}) JOIN edges USING (${groups})
    WHERE key <= edge
    QUALIFY row_number() OVER (PARTITION BY ${groups} ORDER BY key, prediction_id, place) <= ${n}
    ORDER BY ${groups}, key, prediction_id, place`
  return { sql, parameters }
}

/** All that is shown of them in one go: it is the number of statements that takes the time. */
const leadersSql = (podium: Podium): SqlPart => {
  const { key, spelled, groups, condition, parameters } = partsOf(podium)
  const sql = `SELECT ${predictionColumns} FROM (SELECT *, ${spelled.sql} AS metric_key, ${key.sql} AS key FROM ${LEADERS} WHERE ${condition})
    WHERE key IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY ${groups} ORDER BY key, prediction_id, place) <= ${podium.n}
    ORDER BY ${groups}, key, prediction_id, place`
  return { sql, parameters }
}

const partsOf = ({ contest, directions, within, narrowing }: Podium) => {
  const key = rankingKey(contest.score, directions)
  const spelled = metricKeySql(directions.keys())
  return {
    key,
    spelled,
    groups: [...within, 'metric_key'].join(', '),
    condition: narrowing === undefined ? contest.condition : `${contest.condition} AND ${narrowing.sql}`,
    parameters: { ...narrowing?.parameters, ...spelled.parameters, ...key.parameters },
  }
}

/** An expression that is smallest for the best score of each metric, and null for metrics that are not in `directions`. */
const rankingKey = (score: Contest['score'], directions: ReadonlyMap<string, KnownDirection>): SqlPart => {
  const forms: Record<KnownDirection, string> = { higher: `-${score}`, lower: score, zero: `abs(${score})` }
  const parameters: Record<string, ChunkParameter> = {}
  const branches = [...directions].map(([metric, direction], index) => {
    parameters[`m${index}`] = metric
    return `WHEN $m${index} THEN ${forms[direction]}`
  })
  return { sql: branches.length === 0 ? 'NULL::DOUBLE' : `CASE metric ${branches.join(' ')} END`, parameters }
}
