import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { decodeNumbers } from '../json/decode-json.ts'
import { entriesOf } from '../json/entries-of.ts'
import { jsonOrNull } from './json-text.ts'
import { isAggregated, isRealFold } from './real-fold.ts'
import { seen, written } from './store-session.ts'

/**
 * Brings the summary columns of the chains that a query names up to date. cv_* are means over the real folds, each counted once; final_*
 * come from the refit. All are of one metric and one dataset, that of the most predictions, else of the first.
 */
export const refreshChainSummaries = async (engine: Engine, chains: string): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE touched_chains AS ${chains}`)
  await chooseHeads(engine)
  const own = `FROM ${seen('predictions')} SEMI JOIN temp.main.chain_heads USING (chain_id, metric, dataset_name)`
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_means AS
    SELECT chain_id, avg(val) AS val, avg(test) AS test, avg(train) AS train, count(*) AS folds FROM (
      SELECT chain_id, fold_id, arg_max(val_score, partition) AS val, arg_max(test_score, partition) AS test,
        arg_max(train_score, partition) AS train ${own} WHERE ${isRealFold} GROUP BY chain_id, fold_id)
    GROUP BY chain_id`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_finals AS
    SELECT chain_id, arg_max(test_score, partition) AS test, arg_max(train_score, partition) AS train,
      arg_max(scores::VARCHAR, partition = 'test') AS scores
    ${own} WHERE (refit_context IS NOT NULL OR fold_id = 'final') AND NOT (${isAggregated}) GROUP BY chain_id`)
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

/** `chain_heads`: what the chains name of their predictions. */
const chooseHeads = async (engine: Engine): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE chain_heads AS SELECT DISTINCT ON (chain_id) * EXCLUDE (n, since, fold) FROM (
      SELECT chain_id, metric, dataset_name, min_by(model_name, created_at) AS model_name, min_by(task_type, created_at) AS task_type,
        max(best_params::VARCHAR) FILTER (best_params::VARCHAR <> '{}') AS best_params,
        count(*) AS n, min(created_at) AS since, min(fold_id) AS fold
      FROM ${seen('predictions')} WHERE chain_id IN (SELECT chain_id FROM temp.main.touched_chains) GROUP BY chain_id, metric, dataset_name)
    ORDER BY chain_id, n DESC, since, fold, metric, dataset_name`)
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
    const means = meanScores(ofChain.map(({ partition, scores }) => [partition, decodeNumbers(scores)] as const))
    if (means !== null)
      await engine.run('INSERT INTO temp.main.chain_scores VALUES ($chain, $scores)', { chain: chain_id, scores: jsonOrNull(means) })
  }
}

type Means = Record<string, Record<string, number>>

const meanScores = (rows: readonly (readonly [partition: string, scores: unknown])[]): Means | null => {
  const sums = new Map<string, Map<string, number[]>>()
  for (const [partition, scores] of rows) {
    const inner = (entriesOf(scores) ?? []).find(([key]) => key === partition)?.[1]
    const metrics = sums.get(partition) ?? new Map<string, number[]>()
    for (const [metric, value] of entriesOf(inner) ?? []) {
      if (typeof value === 'number') metrics.set(metric, [...(metrics.get(metric) ?? []), value])
    }
    sums.set(partition, metrics)
  }
  const means = [...sums].map(([partition, metrics]) => [
    partition,
    Object.fromEntries([...metrics].map(([name, values]) => [name, mean(values)])),
  ])
  return means.length === 0 ? null : Object.fromEntries(means)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
