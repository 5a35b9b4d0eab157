import { type MergeStrategy, metricDirection } from '@nirs-workspace/types'
import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { digestOf, newId, plainJson, plainNumber, plainTime } from './merge-sql.ts'
import { ofSource } from './source-views.ts'

const model = [
  'dataset_name',
  'model_class',
  'model_name',
  'preprocessings',
  plainJson('best_params'),
  'branch_id',
  `coalesce(branch_name, '')`,
]
const measure = [`coalesce(refit_context, '')`, 'metric']

/** The natural key of a prediction: what was asked, not what came out. */
const naturalKey = digestOf(...model, 'fold_id', '"partition"', ...measure)
/** The same for all partitions of one model and fold: they are one result, and scores may stand in some of its rows only. */
const foldKey = digestOf(...model, 'fold_id', ...measure)
/** With the scores: the same prediction, wherever it lies. */
const content = digestOf('natural_key', plainNumber('val_score'), plainNumber('test_score'), plainNumber('train_score'), 'n_samples')

/** Refits have no validation score of their own: 0.0 or null stands there. */
const score = `CASE WHEN refit_context IS NOT NULL OR starts_with(fold_id, 'final') THEN test_score ELSE val_score END`

/** Smallest is best; null for what cannot be ranked. */
const rank = `CASE WHEN NOT isfinite(${score}) THEN NULL WHEN direction = 'higher' THEN -(${score}) WHEN direction = 'lower' THEN ${score}
  WHEN direction = 'zero' THEN abs(${score}) END`

/** All that a Parquet file tells of a prediction beside its arrays. */
const toldByFile = digestOf(
  ...['dataset_name', 'model_name', 'fold_id', '"partition"', 'metric'].map((column) => `coalesce(${column}, '')`),
  plainNumber('val_score'),
)

/** Where in its chain a prediction lies. */
const place = digestOf('fold_id', '"partition"', 'model_name', 'branch_id')

/** What the unique index of nirs4all and its clean-up at opening allow once. */
export const slotOf = (pipeline: string, chain: string) => digestOf(pipeline, chain, 'place')

const measured = (rows: string) => `SELECT *, ${content} AS digest, ${rank} AS rank, ${place} AS place FROM (
  SELECT p.*, ${naturalKey} AS natural_key, ${foldKey} AS fold_key, coalesce(d.direction, 'unknown') AS direction FROM (${rows}) p LEFT JOIN memory.main.directions d USING (metric))`

/** Of these rows: id, digest. */
export const digested = (rows: string): string => `SELECT prediction_id AS id, digest FROM (${measured(rows)})`

/** So many further ids are looked at for a row that the target may have. */
const mostIds = 4

/** The id made of the id and the content of a prediction whose own one is taken. */
export const otherId = (id: string, content: string): string => newId('predictions', id, content)

/**
 * Of rows (id, digest, content, first, is_bare): `there`, the ids under which the row may be there already, likeliest first, and `free`, the one that it gets otherwise.
 * Looked at are `first`, then each time the id made of the last one and the content: what has come under one of them may have been saved anew since,
 * with other scores, or have given way, and is another prediction then; and the rows from whose ids that of the row is made so: it came from there.
 * What is bare of arrays gets no id of which a file holds some: it would show
 * them. Joins are on equalities alone: with a condition on one side beside them DuckDB compares every row with every other one.
 */
export const findIds = (rows: string): string => {
  const isUsed =
    'candidate IN (SELECT id FROM memory.main.present) OR ((is_bare OR candidate = id) AND candidate IN (SELECT id FROM memory.main.taken))'
  return `WITH RECURSIVE asked AS MATERIALIZED (${rows}),
    tries AS (
      SELECT id, digest, content, is_bare, 0 AS nth, first AS candidate, digest IN (SELECT digest FROM memory.main.present WHERE state = 'alive') AS is_known FROM asked
      UNION ALL SELECT id, digest, content, is_bare, nth + 1, ${otherId('candidate', 'content')}, is_known FROM tries WHERE (is_known AND nth < ${mostIds}) OR ${isUsed}),
    origins AS (
      SELECT p.id AS origin, a.digest, a.content, 0 AS nth, ${otherId('p.id', 'a.content')} AS made
      FROM memory.main.present p JOIN (SELECT DISTINCT digest, content FROM asked) a USING (digest) WHERE p.state = 'alive'
      UNION ALL SELECT origin, digest, content, nth + 1, ${otherId('made', 'content')} FROM origins WHERE nth + 1 < ${mostIds})
    SELECT t.id, list_concat(coalesce(list(p.id ORDER BY t.nth) FILTER (p.state = 'alive' AND p.digest = t.digest), []),
        coalesce(list(o.origin ORDER BY o.nth, o.origin) FILTER (o.origin IS NOT NULL), [])) AS there,
      arg_min(candidate, t.nth) FILTER (p.id IS NULL AND k.id IS NULL) AS free
    FROM tries t LEFT JOIN memory.main.present p ON p.id = t.candidate LEFT JOIN memory.main.taken k ON k.id = CASE WHEN t.is_bare OR t.candidate = t.id THEN t.candidate END
    LEFT JOIN origins o ON o.made = CASE WHEN t.nth = 0 THEN t.id END AND o.digest = t.digest AND o.content = t.content
    GROUP BY t.id`
}

const kept = 'prediction_id AS id, natural_key, fold_key, digest, rank, direction, created_at, has_arrays'

/**
 * `present(id, natural_key, fold_key, digest, rank, direction, created_at, has_arrays, slot, origin, arrays_from, state)`: the predictions of the
 * target (origin −1) and those that sources have brought; `replaced` ones give way. Their arrays are those of `arrays_from`, which may be a later
 * source. Slots are those of the target's rows. `taken(id)`: ids that array files hold although no metadata knows them.
 */
export const learnPredictions = async (engine: Engine, aliases: readonly string[]): Promise<void> => {
  await engine.run('CREATE TABLE memory.main.directions (metric VARCHAR, direction VARCHAR)')
  const sql = aliases.map((alias) => `SELECT DISTINCT metric FROM ${alias}.main.predictions`).join(' UNION ')
  const metrics = (await engine.rows(z.object({ metric: z.string() }), sql)).map((row) => row.metric)
  await appendColumns(engine, { alias: 'memory', table: 'directions' }, [
    { type: 'varchar', values: metrics },
    { type: 'varchar', values: metrics.map(metricDirection) },
  ])
  await engine.run(`CREATE TABLE memory.main.present AS SELECT ${kept}, ${slotOf('pipeline_id', 'chain_id')} AS slot, -1 AS origin, CASE WHEN has_arrays THEN -1 END AS arrays_from, 'alive' AS state
    FROM (${measured('SELECT * FROM target_catalog.main.predictions')})`)
  await engine.run(
    `CREATE TABLE memory.main.taken AS SELECT DISTINCT prediction_id AS id FROM target_catalog.main.array_oddities WHERE kind <> 'duplicate'`,
  )
}

/**
 * `s<i>_matched`: every prediction of a source with its fate: `same` (there already, by what the metadata say), `insert`; `skip` and `yield` are
 * decided later. `variant`: what tells it from a prediction that only has other arrays. `fills`: one that is there without arrays gets its. Of files
 * without a store, a row of an id of the target is what that is, unless it says otherwise: what a file does not tell is no difference.
 */
export const matchPredictions = (engine: Engine, source: number, isPortable: boolean): Promise<void> =>
  engine.run(`CREATE TABLE ${ofSource(source, 'matched')} AS
    WITH n AS (SELECT ${kept}, place, pipeline_id AS old_pipeline, chain_id AS old_chain, dataset_name, array_source
        FROM (${isPortable ? asInTarget(measured(ownRows(source))) : measured(ownRows(source))})),
      a AS (SELECT id, digest FROM memory.main.present WHERE state = 'alive'),
      f AS (${findIds('SELECT id, digest, digest AS content, id AS first, array_source IS NULL AS is_bare FROM n WHERE NOT EXISTS (SELECT 1 FROM a WHERE a.id = n.id AND a.digest = n.digest)')})
    SELECT n.*, CASE WHEN f.id IS NULL THEN n.id ELSE f.there[1] END AS same_id, CASE WHEN f.id IS NULL OR f.there[1] IS NOT NULL THEN 'same' ELSE 'insert' END AS action,
      coalesce(f.free, n.id) AS new_id, NULL::VARCHAR AS variant, false AS fills
    FROM n LEFT JOIN f ON f.id = n.id`)

const ownRows = (source: number) => `SELECT * FROM ${ofSource(source, 'predictions')}`

const asInTarget = (rows: string) => {
  const keys = ['natural_key', 'fold_key', 'digest']
  const target = `SELECT prediction_id, ${toldByFile} AS told, ${keys.join(', ')} FROM (${measured('SELECT * FROM target_catalog.main.predictions')})`
  return `SELECT r.* REPLACE (${keys.map((key) => `coalesce(t.${key}, r.${key}) AS ${key}`).join(', ')})
    FROM (SELECT *, ${toldByFile} AS told FROM (${rows})) r LEFT JOIN (${target}) t ON t.prediction_id = r.prediction_id AND t.told = r.told`
}

/**
 * After `compareArrays`: rows of one source may have been given one id, as a row and another one that the source has under the id made of it; and
 * one may have been given what another one keeps. The one whose own it is keeps it, the others get further ones.
 */
export const partIds = async (engine: Engine, source: number): Promise<void> => {
  const matched = ofSource(source, 'matched')
  const content = `CASE WHEN variant IS NULL THEN digest ELSE digest || ':' || variant END`
  const clashing = `SELECT id FROM ${matched} WHERE action = 'insert' AND new_id <> id QUALIFY row_number() OVER (PARTITION BY new_id ORDER BY id) > 1
    OR new_id IN (SELECT id FROM ${matched} WHERE action = 'insert' AND new_id = id) OR new_id IN (SELECT id FROM memory.main.present)
      OR (array_source IS NULL AND new_id IN (SELECT id FROM memory.main.taken))`
  while ((await engine.one(z.object({ n: z.number() }), `SELECT count(*) AS n FROM (${clashing})`)).n > 0) {
    await engine.run(`UPDATE ${matched} SET new_id = ${otherId('new_id', content)} WHERE id IN (${clashing})`)
  }
}

/**
 * After `partIds`: what is there without arrays gets those of this source, whoever brought it; from then on it has them, and what later sources
 * have is compared with them.
 */
export const fillArrays = async (engine: Engine, source: number): Promise<void> => {
  const matched = ofSource(source, 'matched')
  await engine.run(`UPDATE ${matched} SET fills = true WHERE id IN (SELECT min(m.id) FROM ${matched} m
    JOIN memory.main.present p ON p.id = m.same_id AND p.state = 'alive' AND p.arrays_from IS NULL WHERE m.action = 'same' AND m.has_arrays GROUP BY m.same_id)`)
  await engine.run(
    `UPDATE memory.main.present SET arrays_from = ${source} WHERE state = 'alive' AND id IN (SELECT same_id FROM ${matched} WHERE fills)`,
  )
}

/**
 * `s<i>_conflicts`: the natural keys that both sides have, and what was decided. All partitions of such a key's model and fold stand or fall
 * together; rows that the source shares with the target do not count against it. What a later source changes of it, `settleFates` says.
 */
export const decideConflicts = async (engine: Engine, source: number, strategy: MergeStrategy): Promise<void> => {
  const [matched, conflicts] = [ofSource(source, 'matched'), ofSource(source, 'conflicts')]
  const isShared = `(id IN (SELECT same_id FROM ${matched} WHERE same_id IS NOT NULL))`
  await engine.run(`CREATE TABLE ${conflicts} AS
    WITH own AS (SELECT * FROM ${matched} WHERE action = 'insert'),
      rivals AS (SELECT * FROM memory.main.present WHERE state = 'alive' AND NOT ${isShared}),
      s AS (SELECT fold_key, min(rank) AS best, ${latest}, any_value(direction) AS direction FROM own GROUP BY fold_key),
      t AS (SELECT fold_key, min(rank) AS best, ${latest} FROM rivals GROUP BY fold_key),
      decided AS (SELECT fold_key, ${decision[strategy]} AS decision FROM s JOIN t USING (fold_key)),
      sk AS (SELECT natural_key, any_value(fold_key) AS fold_key, list(id ORDER BY id)[:10] AS source_ids FROM own GROUP BY natural_key),
      tk AS (SELECT natural_key, list(id ORDER BY origin, id)[:10] AS target_ids FROM memory.main.present
        WHERE (state = 'alive' OR origin = -1) AND NOT ${isShared} GROUP BY natural_key HAVING bool_or(state = 'alive'))
    SELECT natural_key, fold_key, source_ids, target_ids, decision FROM sk JOIN tk USING (natural_key) JOIN decided USING (fold_key)`)
  const decidedFor = (side: string) => `fold_key IN (SELECT fold_key FROM ${conflicts} WHERE decision = '${side}')`
  await engine.run(`UPDATE ${matched} SET action = 'skip' WHERE action = 'insert' AND ${decidedFor('keep_target')}`)
  await engine.run(
    `UPDATE memory.main.present SET state = 'replaced' WHERE state = 'alive' AND ${decidedFor('take_source')} AND NOT ${isShared}`,
  )
  await engine.run(`INSERT INTO memory.main.present BY NAME SELECT new_id AS id, natural_key, fold_key, digest, rank, direction, created_at, has_arrays, ${source} AS origin,
    CASE WHEN has_arrays THEN ${source} END AS arrays_from, 'alive' AS state
    FROM ${matched} WHERE action = 'insert'`)
}

/** Predictions of the target that give way. No other row of `present` has their ids. */
export const goneIds = `SELECT id FROM memory.main.present WHERE state = 'replaced' AND origin = -1`

/**
 * SQLite's own times are UTC in whole seconds, those of DuckDB the writer's local time to the microsecond, also once a merge or nirs4all has
 * taken them over.
 */
const latest = `max(created_at) AS latest, max(created_at) FILTER (created_at = ${plainTime('created_at')}) AS utc, max(created_at) FILTER (created_at <> ${plainTime('created_at')}) AS local`

/** Whether every clock of one side is known to stand as the operator says to the same clock of the other. */
const byEachClock = (side: string, operator: string) =>
  ['utc', 'local'].map((clock) => `(${side}.${clock} IS NULL OR coalesce(s.${clock} ${operator} t.${clock}, false))`).join(' AND ')

/** No two clocks of the world are further apart than 26 hours: beyond that the order is known whatever the zone. */
const isUnsure =
  'coalesce(s.utc, t.utc) IS NOT NULL AND coalesce(s.local, t.local) IS NOT NULL AND abs(epoch(s.latest) - epoch(t.latest)) <= 26 * 3600'

/** A metric whose direction nobody knows is not ranked by guess, nor are times whose order nobody knows: both stay. On a draw the target's stay. */
const decision: Record<MergeStrategy, string> = {
  skip: `'keep_target'`,
  keep_all: `'keep_both'`,
  // What has a later one of its own clock beside it is not the latest, whatever else is there.
  keep_latest: `CASE WHEN s.latest IS NULL OR ${byEachClock('s', '<=')} THEN 'keep_target' WHEN t.latest IS NULL OR ${byEachClock('t', '>')} THEN 'take_source'
    WHEN ${isUnsure} THEN 'keep_both' WHEN s.latest > t.latest THEN 'take_source' ELSE 'keep_target' END`,
  keep_best: `CASE WHEN s.direction = 'unknown' THEN 'keep_both' WHEN s.best IS NOT NULL AND (t.best IS NULL OR s.best < t.best) THEN 'take_source' ELSE 'keep_target' END`,
}

/**
 * When all sources have been matched: what gives way to a later source does not come (`yield` in `s<i>_matched`), its conflicts are decided for
 * `later_source`. `takers(fold_key, source)`: the source to which what the target had gives way in the end.
 */
export const settleFates = async (engine: Engine, sources: readonly number[]): Promise<void> => {
  const taken = sources.map(
    (source) => `SELECT fold_key, ${source} AS source FROM ${ofSource(source, 'conflicts')} WHERE decision = 'take_source'`,
  )
  await engine.run(
    `CREATE TABLE memory.main.takers AS SELECT fold_key, max(source) AS source FROM (${taken.join(' UNION ALL ')}) GROUP BY fold_key`,
  )
  const gone = `SELECT id FROM memory.main.present WHERE state = 'replaced' AND origin >= 0`
  for (const source of sources) {
    await engine.run(`UPDATE ${ofSource(source, 'matched')} SET action = 'yield'
      WHERE (action = 'insert' AND new_id IN (${gone})) OR (action = 'same' AND same_id IN (${gone}))`)
    await engine.run(`UPDATE ${ofSource(source, 'conflicts')} SET decision = 'later_source'
      WHERE fold_key IN (SELECT fold_key FROM memory.main.takers t WHERE t.source > ${source})`)
  }
}
