import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attachWritable, detach, quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { storeTables } from '../migration/store-schema.ts'

export interface MadePrediction {
  id: string
  dataset?: string
  fold?: string
  partition?: string
  score?: number | null
  refit?: string | null
  scores?: string | null
  /** Null: no row in prediction_arrays. Default: three values. */
  y?: readonly number[] | null
  /** Default: as many as values; 3 without a row in prediction_arrays. */
  samples?: number | null
  /** In a Parquet file: two class probabilities of this shape. Default: none. */
  shape?: readonly number[]
}

export interface StoreToMake {
  /** 0.7.0 has no refit_context, 0.7.x keeps arrays in a table, 0.8.1 has no such table. */
  release: '0.7.0' | '0.7.1' | '0.8.1'
  predictions?: readonly MadePrediction[]
  /** Statements to run in the finished store, for what no release does. */
  extra?: readonly string[]
}

const chainsOf07 = `chain_id VARCHAR PRIMARY KEY, pipeline_id VARCHAR NOT NULL REFERENCES pipelines(pipeline_id), steps JSON NOT NULL,
  model_step_idx INTEGER NOT NULL, model_class VARCHAR NOT NULL, preprocessings VARCHAR DEFAULT '', fold_strategy VARCHAR DEFAULT 'per_fold',
  fold_artifacts JSON, shared_artifacts JSON, branch_path JSON, source_index INTEGER, created_at TIMESTAMP DEFAULT current_timestamp`
const arraysTable = `prediction_id VARCHAR PRIMARY KEY REFERENCES predictions(prediction_id), y_true DOUBLE[], y_pred DOUBLE[], y_proba DOUBLE[],
  sample_indices INTEGER[], weights DOUBLE[]`

/** A temporary folder; remove it afterwards (or use `await using`). */
export const temporaryFolder = async (): Promise<{ path: string } & AsyncDisposable> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-test-')))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Writes a small store with the tables of a release at `path`: one run, one pipeline and one chain per dataset. */
export const makeStore = (path: string, store: StoreToMake): Promise<void> =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, path, 'made', 16_384)
    await engine.run('USE made')
    await createTables(engine, store.release)
    const predictions = store.predictions ?? []
    await addLineage(engine, new Set(predictions.map(datasetOf)))
    for (const prediction of predictions) await addPrediction(engine, store.release, prediction)
    for (const statement of store.extra ?? []) await engine.run(statement)
    await engine.run('CHECKPOINT made')
    await engine.run('USE memory')
    await detach(engine, 'made')
  })

const createTables = async (engine: Engine, release: StoreToMake['release']): Promise<void> => {
  for (const [table, columns] of Object.entries(storeTables)) {
    if (release !== '0.8.1' && table === 'projects') continue
    await engine.run(`CREATE TABLE ${table} (${release !== '0.8.1' && table === 'chains' ? chainsOf07 : columns})`)
  }
  if (release === '0.7.0') await engine.run('ALTER TABLE predictions DROP COLUMN refit_context')
  if (release !== '0.8.1') await engine.run(`CREATE TABLE prediction_arrays (${arraysTable})`)
}

const datasetOf = (prediction: MadePrediction): string => prediction.dataset ?? 'wheat'

const addLineage = async (engine: Engine, datasets: ReadonlySet<string>): Promise<void> => {
  if (datasets.size > 0) await engine.run("INSERT INTO runs (run_id, name, status) VALUES ('run-1', 'Morning screen', 'completed')")
  for (const name of datasets) {
    await engine.run(
      "INSERT INTO pipelines (pipeline_id, run_id, name, dataset_name) VALUES ('p-' || $name, 'run-1', 'screen_p0', $name)",
      { name },
    )
    await engine.run(
      "INSERT INTO chains (chain_id, pipeline_id, steps, model_step_idx, model_class) VALUES ('c-' || $name, 'p-' || $name, '[]', 1, 'PLSRegression')",
      { name },
    )
  }
}

const addPrediction = async (engine: Engine, release: StoreToMake['release'], prediction: MadePrediction): Promise<void> => {
  const { id, fold = '0', partition = 'val', score = 1, refit = null, scores = null, y = [1, 2, 3], samples = y?.length ?? 3 } = prediction
  await engine.run(
    `INSERT INTO predictions (prediction_id, pipeline_id, chain_id, dataset_name, model_name, model_class, fold_id, partition, val_score, metric,
       task_type, n_samples, scores, best_params, preprocessings)
     VALUES ($id, 'p-' || $name, 'c-' || $name, $name, 'PLS', 'PLSRegression', $fold, $partition, $score, 'rmse', 'regression', $samples, $scores,
       '{"n_components": 5}', 'SNV>1stDer')`,
    { id, name: datasetOf(prediction), fold, partition, score, scores, samples },
  )
  if (refit !== null) await engine.run('UPDATE predictions SET refit_context = $refit WHERE prediction_id = $id', { refit, id })
  if (y === null || release === '0.8.1') return
  const list = sqlList(y)
  await engine.run(`INSERT INTO prediction_arrays VALUES ($id, ${list}, ${list}, NULL, NULL, NULL)`, { id })
}

const sqlList = (values: readonly number[]): string =>
  `[${values.map((value) => `'${Object.is(value, -0) ? '-0.0' : value}'`).join(', ')}]::DOUBLE[]`

/** Writes a Parquet file with the columns that nirs4all 0.8.1 writes, one row per prediction. */
export const makeParquet = (path: string, predictions: readonly MadePrediction[]): Promise<void> =>
  withEngine({}, async (engine) => {
    await engine.run(
      `CREATE TABLE rows (prediction_id VARCHAR, dataset_name VARCHAR, model_name VARCHAR, fold_id VARCHAR, partition VARCHAR, metric VARCHAR,
         val_score DOUBLE, task_type VARCHAR, y_true DOUBLE[], y_pred DOUBLE[], y_proba DOUBLE[], y_proba_shape INTEGER[],
         sample_indices INTEGER[], weights DOUBLE[])`,
    )
    for (const prediction of predictions) {
      const { id, fold = '0', partition = 'val', score = 1, y = [1, 2, 3], shape } = prediction
      const list = y === null ? 'NULL' : sqlList(y)
      const proba = shape === undefined ? 'NULL, NULL' : `[0.25, 0.75], [${shape.join(', ')}]`
      await engine.run(
        `INSERT INTO rows VALUES ($id, $name, 'PLS', $fold, $partition, 'rmse', $score, 'regression', ${list}, ${list}, ${proba}, NULL, NULL)`,
        { id, name: datasetOf(prediction), fold, partition, score },
      )
    }
    await engine.run(`COPY rows TO ${quotedString(path)} (FORMAT parquet, COMPRESSION zstd)`)
  })
