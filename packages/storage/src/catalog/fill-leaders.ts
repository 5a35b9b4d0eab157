import type { Engine } from '../engine/open-engine.ts'
import { type Contest, cvContest, refitContest } from '../predictions/ranking.ts'

/** Kept of every group: as many as are asked for without a number, and some. */
export const leadersPerGroup = 25

interface LeaderOptions {
  /** Fewer predictions are gone through as fast: there are no leaders then. */
  readonly fewest?: number
  readonly perGroup?: number
}

/**
 * Keeps rows of `predictions` in `leaders` as well: of every dataset, metric (as it is spelled) and kind of fold the best of each contest,
 * whichever direction is asked for. The best of any of these groups together are among them, with the ties that are told apart by id.
 */
export const fillLeaders = async (
  engine: Engine,
  predictions: number,
  { fewest = 20_000, perGroup = leadersPerGroup }: LeaderOptions = {},
): Promise<void> => {
  if (predictions < fewest) return
  await engine.run('CREATE OR REPLACE TEMP TABLE leader_places (place BIGINT)')
  for (const contest of [cvContest(), refitContest]) {
    for (const key of [contest.score, `-${contest.score}`, `abs(${contest.score})`]) await engine.run(leadersSql(contest, key, perGroup))
  }
  await engine.run(
    'INSERT INTO catalog.leaders SELECT p.*, p.rowid FROM catalog.predictions p WHERE p.rowid IN (SELECT place FROM leader_places) ORDER BY p.rowid',
  )
  await engine.run('DROP TABLE leader_places')
}

const group = 'dataset_name, fold_kind, metric'

/** The score of the last that is kept comes first, so that only rows as good as that are sorted with their ids. */
const leadersSql = ({ condition }: Contest, key: string, perGroup: number): string => {
  const rows = `SELECT ${group}, prediction_id, rowid AS place, ${key} AS key FROM catalog.predictions WHERE ${condition}`
  return `INSERT INTO leader_places
    SELECT place FROM (${rows}) JOIN
      (SELECT ${group}, list_last(min(key, ${perGroup})) AS edge FROM (${rows}) GROUP BY ${group}) USING (${group})
    WHERE key <= edge
    QUALIFY row_number() OVER (PARTITION BY ${group} ORDER BY key, prediction_id, place) <= ${perGroup}`
}
