import { metricKey } from '@nirs-workspace/types'
import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { parsePythonJson, ScoreMeans } from '../migration/score-means.ts'
import { isFinalFit, isRealFold } from './real-fold.ts'
import { written } from './store-session.ts'

/**
 * Brings the summary columns of the chains that a query names up to date. cv_* are means over the real folds, each counted once; final_*
 * come from the refit. All are of one metric, in any spelling, and one dataset, that of the most predictions, else of the first.
 */
export const refreshChainSummaries = async (engine: Engine, chains: string): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE touched_chains AS ${chains}`)
  await keyMetrics(engine)
  await chooseHeads(engine)
  const own = `FROM ${keyedRows} SEMI JOIN temp.main.chain_heads USING (chain_id, metric_key, dataset_name)`
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_means AS
    SELECT chain_id, avg(val) AS val, avg(test) AS test, avg(train) AS train, count(*) AS folds FROM (
      SELECT chain_id, fold_id, arg_max(val_score, partition) AS val, arg_max(test_score, partition) AS test,
        arg_max(train_score, partition) AS train ${own} WHERE ${isRealFold} GROUP BY chain_id, fold_id)
    GROUP BY chain_id`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_finals AS
    SELECT chain_id, arg_max(test_score, partition) AS test, arg_max(train_score, partition) AS train,
      arg_max(scores::VARCHAR, partition = 'test') AS scores
    ${own} WHERE ${isFinalFit} GROUP BY chain_id`)
  await fillMeans(engine, own)
  await engine.run(`UPDATE ${written('chains')} SET model_name = s.model_name, metric = s.metric, task_type = s.task_type,
      dataset_name = coalesce(s.dataset_name, chains.dataset_name), best_params = s.best_params, cv_val_score = s.val, cv_test_score = s.test,
      cv_train_score = s.train, cv_fold_count = coalesce(s.folds, 0), cv_scores = s.cv_scores, final_test_score = s.final_test,
      final_train_score = s.final_train, final_scores = s.final_scores
    FROM (SELECT t.chain_id, h.model_name, h.metric, h.task_type, h.dataset_name, h.best_params, m.val, m.test, m.train, m.folds,
        c.scores AS cv_scores, f.test AS final_test, f.train AS final_train, f.scores AS final_scores
      FROM temp.main.touched_chains t LEFT JOIN temp.main.chain_heads h USING (chain_id) LEFT JOIN temp.main.chain_means m USING (chain_id)
        LEFT JOIN temp.main.chain_finals f USING (chain_id) LEFT JOIN temp.main.chain_scores c USING (chain_id)) s
    WHERE chains.chain_id = s.chain_id`)
}

const ofTouched = `FROM ${written('predictions')} WHERE chain_id IN (SELECT chain_id FROM temp.main.touched_chains)`

/** `metric_keys`: the metric of each spelling. */
const keyMetrics = async (engine: Engine): Promise<void> => {
  const metrics = (await engine.rows(z.object({ metric: z.string() }), `SELECT DISTINCT metric ${ofTouched}`)).map(({ metric }) => metric)
  await engine.run('CREATE OR REPLACE TEMP TABLE metric_keys (metric VARCHAR, metric_key VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'metric_keys' }, [
    { type: 'varchar', values: metrics },
    { type: 'varchar', values: metrics.map(metricKey) },
  ])
}

/** Of what is saved at once, the order in which it came tells what was first. */
const keyedRows = `(SELECT *, (created_at, rowid) AS since ${ofTouched}) JOIN temp.main.metric_keys USING (metric)`

/** `chain_heads`: what the chains name of their predictions. */
const chooseHeads = async (engine: Engine): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_heads AS SELECT DISTINCT ON (chain_id) * EXCLUDE (n, first) FROM (
      SELECT chain_id, metric_key, dataset_name, min_by(metric, since) AS metric, min_by(model_name, since) AS model_name,
        min_by(task_type, since) AS task_type, min_by(best_params::VARCHAR, since) FILTER (best_params::VARCHAR <> '{}') AS best_params,
        count(*) AS n, min(since) AS first
      FROM ${keyedRows} GROUP BY chain_id, metric_key, dataset_name)
    ORDER BY chain_id, n DESC, first`)
}

const ScoreRow = z.object({ chain_id: z.string(), partition: z.string(), scores: z.string() })

/** Means per partition and metric over the real folds, each metric over the folds that have it. */
const fillMeans = async (engine: Engine, own: string): Promise<void> => {
  const rows = await engine.rows(
    ScoreRow,
    `SELECT DISTINCT ON (chain_id, fold_id, partition) chain_id, partition, scores::VARCHAR AS scores ${own} WHERE ${isRealFold}
       AND partition IN ('val', 'test') AND scores IS NOT NULL ORDER BY chain_id, fold_id, partition`,
  )
  await engine.run('CREATE OR REPLACE TEMP TABLE chain_scores (chain_id VARCHAR, scores VARCHAR)')
  for (const [chain_id, ofChain] of Map.groupBy(rows, (row) => row.chain_id)) {
    const means = new ScoreMeans()
    for (const { partition, scores } of ofChain) means.add(partition, parsePythonJson(scores))
    const scores = means.text('exact')
    if (scores !== null) await engine.run('INSERT INTO temp.main.chain_scores VALUES ($chain, $scores)', { chain: chain_id, scores })
  }
}
