import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { makeDemo } from './index.ts'
import { plannedRows } from './plan/demo-plan.ts'
import { smallPlan } from './plan/small-plan.ts'
import { withStore } from './testing/open-demo.ts'

const count = z.object({ n: z.number() })
const numbers = z.array(z.number())

const ScoreTable = z.record(z.string(), z.union([z.number(), z.string()]))
const Scored = z.object({
  fold_id: z.string(),
  partition: z.enum(['train', 'val', 'test']),
  val_score: z.number(),
  test_score: z.number(),
  train_score: z.number(),
  metric: z.string(),
  scores: z.string(),
  y_true: numbers,
  y_pred: numbers,
})

const meanSquaredError = (truth: number[], predicted: number[]) =>
  truth.reduce((sum, value, index) => sum + (value - (predicted[index] ?? 0)) ** 2, 0) / truth.length

const balancedAccuracy = (truth: number[], predicted: number[]) => {
  const labels = [...new Set(truth)]
  const recalls = labels.map((label) => {
    const own = truth.flatMap((value, index) => (value === label ? [predicted[index] === label ? 1 : 0] : []))
    return own.reduce<number>((sum, hit) => sum + hit, 0) / own.length
  })
  return recalls.reduce((sum, recall) => sum + recall, 0) / labels.length
}

describe('demo workspace: values', () => {
  let folder = ''
  let store = ''
  let made = 0
  const one = (sql: string) => withStore(store, async (engine) => (await engine.one(count, sql)).n)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nirs-demo-'))
    store = join(folder, 'demo', 'store.duckdb')
    made = (await makeDemo({ directory: join(folder, 'demo'), size: 'small' })).predictions
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('holds the planned number of predictions, one array row each, with unique ids', async () => {
    expect(made).toBe(smallPlan.runs.reduce((sum, run) => sum + plannedRows(run), 0))
    expect(made).toBeGreaterThan(1400)
    expect(await one('SELECT count(*) AS n FROM predictions')).toBe(made)
    expect(await one('SELECT count(DISTINCT prediction_id) AS n FROM predictions')).toBe(made)
    expect(await one('SELECT count(*) AS n FROM predictions JOIN prediction_arrays USING (prediction_id)')).toBe(made)
  })

  it('follows the value conventions of 0.7.1', async () => {
    expect(
      await one(`SELECT count(*) AS n FROM predictions WHERE NOT regexp_full_match(prediction_id, '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]')`),
    ).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions WHERE fold_id = 'final' AND (val_score <> 0 OR refit_context <> 'standalone' OR partition = 'val')`,
      ),
    ).toBe(0)
    expect(await one(`SELECT count(*) AS n FROM predictions WHERE fold_id <> 'final' AND refit_context IS NOT NULL`)).toBe(0)
    expect(await one(`SELECT count(*) AS n FROM pipelines WHERE name = 'pipeline_refit' AND best_val <> 0`)).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM (SELECT 1 FROM predictions GROUP BY chain_id, fold_id HAVING count(DISTINCT (val_score, test_score, train_score, scores)) > 1)`,
      ),
    ).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions WHERE task_type = 'regression' AND (json_type(scores, '$.train.nmse') <> 'VARCHAR' OR metric <> 'mse')`,
      ),
    ).toBe(0)
    expect(await one(`SELECT count(*) AS n FROM predictions WHERE task_type <> 'regression' AND metric <> 'balanced_accuracy'`)).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions JOIN prediction_arrays USING (prediction_id) WHERE len(y_true) <> n_samples OR len(y_pred) <> n_samples OR len(sample_indices) <> n_samples`,
      ),
    ).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions JOIN prediction_arrays USING (prediction_id) WHERE task_type = 'multiclass_classification' AND len(y_proba) <> 5 * n_samples`,
      ),
    ).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions p JOIN prediction_arrays USING (prediction_id) WHERE fold_id = 'final' AND weights <> [1.0]`,
      ),
    ).toBe(0)
    expect(
      await one(
        `SELECT count(*) AS n FROM predictions p JOIN prediction_arrays USING (prediction_id) WHERE fold_id <> 'final' AND abs(list_sum(weights) - 1) > 1e-9`,
      ),
    ).toBe(0)
    expect(await one(`SELECT count(*) AS n FROM runs WHERE status = 'running'`)).toBe(0)
    expect(await one(`SELECT count(*) AS n FROM runs WHERE status = 'failed'`)).toBe(1)
  })

  it('stores scores that the arrays give when computed again', async () => {
    const rows = await withStore(store, (engine) =>
      engine.rows(
        Scored,
        'SELECT fold_id, partition, val_score, test_score, train_score, metric, scores, y_true, y_pred FROM predictions JOIN prediction_arrays USING (prediction_id)',
      ),
    )
    const Scores = z.object({ train: ScoreTable, val: ScoreTable, test: ScoreTable })
    for (const row of rows) {
      const again = row.metric === 'mse' ? meanSquaredError(row.y_true, row.y_pred) : balancedAccuracy(row.y_true, row.y_pred)
      const stored = { train: row.train_score, val: row.val_score, test: row.test_score }[row.partition]
      const table = Scores.parse(JSON.parse(row.scores))[row.partition]
      expect(Number(table[row.metric])).toBe(stored)
      // The 0.7 releases keep the mean of the folds as `val` score of averaged rows, beside arrays of the averaged models.
      if (row.fold_id.endsWith('avg') && row.partition === 'val') continue
      expect(Math.abs(again - stored)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(stored)))
    }
    expect(rows.length).toBe(made)
  })

  it('gives RMSECV curves with a minimum inside, and calibration errors that only fall', async () => {
    const Curve = z.object({ k: z.number(), rmsecv: z.number(), rmsec: z.number() })
    const curve = await withStore(store, (engine) =>
      engine.rows(
        Curve,
        `SELECT CAST(best_params->>'n_components' AS INTEGER) AS k, sqrt(avg(val_score)) AS rmsecv, sqrt(avg(train_score)) AS rmsec
         FROM predictions WHERE dataset_name = 'wheat_protein' AND preprocessings = 'SNV' AND model_class = 'PLSRegression'
           AND partition = 'val' AND regexp_full_match(fold_id, '[0-9]+') GROUP BY 1 ORDER BY 1`,
      ),
    )
    const lowest = curve.reduce((best, point, index) => (point.rmsecv < (curve[best]?.rmsecv ?? 0) ? index : best), 0)
    expect(lowest).toBeGreaterThan(0)
    expect(lowest).toBeLessThan(curve.length - 1)
    for (let index = 1; index < curve.length; index++) expect(curve[index]?.rmsec).toBeLessThan(curve[index - 1]?.rmsec ?? 0)
  })

  it('writes every artifact under the hash of its content', async () => {
    const Artifact = z.object({ artifact_path: z.string(), content_hash: z.string(), size_bytes: z.number(), format: z.string() })
    const artifacts = await withStore(store, (engine) =>
      engine.rows(Artifact, 'SELECT artifact_path, content_hash, size_bytes, format FROM artifacts'),
    )
    expect(artifacts.length).toBeGreaterThan(100)
    for (const artifact of artifacts) {
      const content = await readFile(join(folder, 'demo', 'artifacts', artifact.artifact_path))
      expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(artifact.content_hash)
      expect(content.length).toBe(artifact.size_bytes)
      expect(() => JSON.parse(content.toString())).not.toThrow()
    }
  })

  it('links chains to artifacts that exist', async () => {
    expect(
      await one(
        `SELECT count(*) AS n FROM (SELECT unnest(map_values(CAST(fold_artifacts AS MAP(VARCHAR, VARCHAR)))) AS id FROM chains) ANTI JOIN artifacts ON artifact_id = id`,
      ),
    ).toBe(0)
  })
})
