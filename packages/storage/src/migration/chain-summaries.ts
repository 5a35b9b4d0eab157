import * as z from 'zod'
import type { Lane } from '../engine/engine-lane.ts'
import { CHUNK_ROWS, TableAppender } from '../engine/table-appender.ts'
import { parsePythonJson, ScoreMeans } from './score-means.ts'

/**
 * Fills the summary columns of chains in the current database the way nirs4all 0.8 does when it first opens an older store: means over
 * all rows that are not of a refit (averages included), final scores from the refit's test row. Only chains named in `chains_to_fill`.
 */
export const fillChainSummaries = async (lane: Lane): Promise<void> => {
  await lane.run(`UPDATE chains SET dataset_name = pl.dataset_name FROM pipelines pl
    WHERE chains.pipeline_id = pl.pipeline_id AND chains.dataset_name IS NULL`)
  await lane.run(`UPDATE chains SET model_name = coalesce(chains.model_name, cv.model_name), metric = coalesce(chains.metric, cv.metric),
      task_type = coalesce(chains.task_type, cv.task_type), cv_val_score = cv.val, cv_test_score = cv.test, cv_train_score = cv.train,
      cv_fold_count = cv.folds
    FROM (SELECT chain_id, arg_min(model_name, rowid) AS model_name, arg_min(metric, rowid) AS metric, arg_min(task_type, rowid) AS task_type,
        avg(val_score) AS val, avg(test_score) AS test, avg(train_score) AS train, count(DISTINCT fold_id) AS folds
      FROM predictions WHERE refit_context IS NULL AND chain_id IS NOT NULL GROUP BY chain_id) cv
    WHERE chains.chain_id = cv.chain_id AND ${toFill}`)
  await lane.run(`UPDATE chains SET best_params = first.best_params
    FROM (SELECT chain_id, arg_min(best_params, rowid) AS best_params FROM predictions
      WHERE chain_id IS NOT NULL AND best_params IS NOT NULL AND best_params::VARCHAR <> '{}' GROUP BY chain_id) first
    WHERE chains.chain_id = first.chain_id AND chains.best_params IS NULL AND ${toFill}`)
  await lane.run(`UPDATE chains SET final_test_score = refit.test_score, final_train_score = refit.train_score, final_scores = refit.scores
    FROM (SELECT chain_id, arg_max(test_score, rowid) AS test_score, arg_max(train_score, rowid) AS train_score, arg_max(scores, rowid) AS scores
      FROM predictions WHERE refit_context IS NOT NULL AND fold_id = 'final' AND partition = 'test' AND chain_id IS NOT NULL GROUP BY chain_id) refit
    WHERE chains.chain_id = refit.chain_id AND ${toFill}`)
  await fillAveragedScores(lane)
}

const toFill = 'chains.chain_id IN (SELECT chain_id FROM memory.main.chains_to_fill)'

const fillAveragedScores = async (lane: Lane): Promise<void> => {
  await lane.run('CREATE OR REPLACE TABLE memory.main.averaged (chain_id VARCHAR, scores VARCHAR)')
  const averaged = await TableAppender.open(lane, { alias: 'memory', table: 'averaged' }, ['text', 'text'])
  const rows = [...(await readMeans(lane))].flatMap(([chain, means]) => {
    const scores = means.text()
    return scores === null ? [] : [{ chain, scores }]
  })
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const batch = rows.slice(start, start + CHUNK_ROWS)
    averaged.append([batch.map(({ chain }) => chain), batch.map(({ scores }) => scores)])
  }
  averaged.close()
  // One statement for all: each takes its time to be planned.
  await lane.run(`UPDATE chains SET cv_scores = averaged.scores FROM memory.main.averaged WHERE chains.chain_id = averaged.chain_id`)
}

/** Streamed in the order of the table: a million score texts at once would not fit into the memory that a job may use. */
const readMeans = async (lane: Lane): Promise<Map<string, ScoreMeans>> => {
  const chains = await lane.rows(z.object({ chain_id: z.string() }), 'SELECT chain_id FROM memory.main.chains_to_fill ORDER BY rowid')
  const result = await lane.stream(
    `SELECT place, partition, CASE WHEN text IS DISTINCT FROM lag(text) OVER () THEN text END FROM
       (SELECT c.rowid::INTEGER AS place, partition, scores::VARCHAR AS text
        FROM predictions p JOIN memory.main.chains_to_fill c ON c.chain_id = p.chain_id
        WHERE refit_context IS NULL AND partition IN ('val', 'test') AND scores IS NOT NULL)`,
  )
  // By the place of the chain: its id would be a text to be fetched for each row.
  const means = chains.map(() => new ScoreMeans())
  // The rows of one fold stand together and carry the same text: it is sent and parsed once.
  let parsed: unknown = null
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const [places = [], partitions = [], texts = []] = [0, 1, 2].map((column) => chunk?.getColumnValues(column))
    places.forEach((place, row) => {
      const text = texts[row]
      if (typeof text === 'string') parsed = parsePythonJson(text)
      means[Number(place)]?.add(String(partitions[row]), parsed)
    })
  }
  return new Map(chains.map(({ chain_id }, place) => [chain_id, means[place] ?? new ScoreMeans()]))
}
