import type { Engine } from '@nirs-workspace/storage'

/** A version 4 UUID made of a text's digest. */
const uuidFrom = (text: string) =>
  `(select substr(h,1,8) || '-' || substr(h,9,4) || '-4' || substr(h,14,3) || '-a' || substr(h,18,3) || '-' || substr(h,21,12) from (select md5(${text}) as h))`

/** Days between one copy and the next. */
const COPY_SHIFT = 'to_days(CAST(3 * c.copy AS INTEGER))'

/** Copies written by one statement: bounds the memory. */
const COPIES_AT_ONCE = 9

const frozenTables = ['runs', 'pipelines', 'chains', 'predictions'] as const

const statements = (seed: number, from: number, to: number): string[] => {
  const id = (column: string) => uuidFrom(`'${seed}' || c.copy || ${column}`)
  const copies = `(select unnest(range(${from}, ${to})) as copy) c`
  // One factor per chain and fold, so that the three rows of a fold keep sharing their scores.
  const factor = `exp(0.2 * (hash(c.copy, p.chain_id, p.fold_id) % 2000 / 1000.0 - 1))`
  const vary = (column: string) =>
    `case when p.${column} = 0 then 0.0 when p.metric = 'mse' then p.${column} * ${factor} else greatest(0.0, 1 - (1 - p.${column}) * ${factor}) end`
  const part = (name: string, column: string) =>
    `'"${name}": {' || '"' || metric || '": ' || ${column} || case when metric = 'mse' then ', "rmse": ' || sqrt(${column}) else '' end || '}'`
  return [
    `INSERT INTO runs SELECT ${id('r.run_id')}, r.name || '-' || (c.copy + 1), r.config, r.datasets, r.status, r.created_at + ${COPY_SHIFT}, r.completed_at + ${COPY_SHIFT}, r.summary, r.error FROM temp.base_runs r, ${copies}`,
    `INSERT INTO pipelines SELECT ${id('p.pipeline_id')}, ${id('p.run_id')}, p.name, p.expanded_config, p.generator_choices, p.dataset_name, p.dataset_hash, p.status, p.created_at + ${COPY_SHIFT}, p.completed_at + ${COPY_SHIFT}, p.best_val, p.best_test, p.metric, p.duration_ms, p.error FROM temp.base_pipelines p, ${copies}`,
    `INSERT INTO chains SELECT ${id('h.chain_id')}, ${id('h.pipeline_id')}, h.steps, h.model_step_idx, h.model_class, h.preprocessings, h.fold_strategy, h.fold_artifacts, h.shared_artifacts, h.branch_path, h.source_index, h.created_at + ${COPY_SHIFT} FROM temp.base_chains h, ${copies}`,
    `INSERT INTO predictions SELECT * REPLACE (CAST('{' || ${part('train', 'train_score')} || ', ' || ${part('val', 'val_score')} || ', ' || ${part('test', 'test_score')} || '}' AS JSON) AS scores) FROM (
       SELECT substr(${id('p.prediction_id')}, 1, 16) AS prediction_id, ${id('p.pipeline_id')} AS pipeline_id, ${id('p.chain_id')} AS chain_id, p.dataset_name, p.model_name, p.model_class, p.fold_id, p.partition,
         ${vary('val_score')} AS val_score, ${vary('test_score')} AS test_score, ${vary('train_score')} AS train_score, p.metric, p.task_type, p.n_samples, p.n_features, p.scores, p.best_params, p.preprocessings,
         p.branch_id, p.branch_name, p.exclusion_count, p.exclusion_rate, p.refit_context, p.created_at + ${COPY_SHIFT} AS created_at
       FROM temp.base_predictions p, ${copies})`,
  ]
}

/**
 * Fills the store up to `total` predictions with copies of the trained ones: other ids, later dates, scores moved by up to a fifth.
 * Copies have no arrays, and their `scores` hold the primary metric alone. `total` is a multiple of `trained`.
 */
export const multiplyPredictions = async (
  engine: Engine,
  seed: number,
  trained: number,
  total: number,
  onRows: (rows: number) => void,
): Promise<void> => {
  if (total % trained !== 0) throw new Error(`The number of rows must be a multiple of ${trained}; ${total} is not.`)
  for (const table of frozenTables) await engine.run(`CREATE TEMP TABLE base_${table} AS FROM ${table}`)
  const copies = total / trained
  for (let from = 1; from < copies; from += COPIES_AT_ONCE) {
    const to = Math.min(copies, from + COPIES_AT_ONCE)
    for (const statement of statements(seed, from, to)) await engine.run(statement)
    onRows(to * trained)
  }
  for (const table of frozenTables) await engine.run(`DROP TABLE temp.base_${table}`)
}
