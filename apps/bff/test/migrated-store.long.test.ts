import { readFileSync } from 'node:fs'
import { runMigration, WorkspaceStore } from '@nirs-workspace/storage'
import type { Facets, PredictionDetail, PredictionPage, Scatter } from '@nirs-workspace/types'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { copyMigratedDemo, copySample, hasSamples, removeCopies, sampleFile } from '../src/testing/workspace-copies.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const pageOf = async (query: string) => (await app.get(`/predictions?${query}`)) as PredictionPage
const scatterOf = async (id: string) => (await app.get(`/predictions/${id}/scatter`)) as Scatter

describe.runIf(hasSamples)('a migrated workspace of nirs4all 0.7.1', () => {
  const Figures = z.object({ rmse: z.number(), r2: z.number(), bias: z.number(), sep: z.number() })
  const Samples = z.object({ samplePredictions: z.array(z.object({ predictionId: z.string(), metrics: Figures })) })
  const Expected = z.object({ workspaces: z.object({ 'legacy-0.7.1': Samples }) })

  test('test_inspector_scatter_after_migration: the server draws from Parquet what it drew from the table, and what numpy computes', async () => {
    const path = await copySample('legacy-0.7.1')
    const expected = Expected.parse(JSON.parse(readFileSync(sampleFile('expected.json'), 'utf8'))).workspaces['legacy-0.7.1']
      .samplePredictions
    expect(expected.length).toBeGreaterThan(0)
    app = await openTestApp(path)
    const before = new Map<string, Scatter>()
    for (const { predictionId } of expected) before.set(predictionId, await scatterOf(predictionId))
    await app.close()
    await runMigration(path, { jobId: 'scatter' })
    app = await openTestApp(path)
    for (const { predictionId, metrics } of expected) {
      const scatter = await scatterOf(predictionId)
      expect(scatter).toEqual(before.get(predictionId))
      if (scatter.regression === null) continue
      for (const [name, value] of Object.entries(metrics))
        expect(Number(scatter.regression[name as keyof typeof metrics])).toBeCloseTo(value, 9)
    }
  })
})

test('test_full_training_to_results_migrated_store: a training saved into a migrated workspace is on the pages, with its arrays', async () => {
  const path = await copyMigratedDemo()
  app = await openTestApp(path)
  const { total } = await pageOf('limit=1')
  {
    await using store = await WorkspaceStore.open(path)
    const run_id = await store.beginRun({ name: 'Afternoon screen', datasets: [{ name: 'barley' }] })
    const pipeline_id = await store.beginPipeline({ run_id, name: 'afternoon', dataset_name: 'barley', expanded_config: ['SNV'] })
    const chain_id = await store.saveChain({
      pipeline_id,
      steps: [{ step_idx: 1, operator_class: 'PLSRegression', params: {}, artifact_ids: [], stateless: false }],
      model_step_idx: 1,
      model_class: 'PLSRegression',
      preprocessings: 'SNV',
    })
    const about = {
      pipeline_id,
      chain_id,
      dataset_name: 'barley',
      model_name: 'PLS7',
      model_class: 'PLSRegression',
      metric: 'rmse',
      preprocessings: 'SNV',
    }
    for (const fold_id of ['0', '1']) {
      const row = { ...about, fold_id, partition: 'val', task_type: 'regression', n_samples: 3, val_score: 0.5 } as const
      store.bufferPrediction(row, { y_true: [1, 2, 3], y_pred: [1.5, 2.5, 3.5], sample_indices: [4, 5, 6] })
    }
    await store.flush()
    await store.completePipeline(pipeline_id)
    await store.completeRun(run_id)
  }
  await vi.waitFor(async () => expect((await pageOf('limit=1')).total).toBe(total + 2), { timeout: 120_000, interval: 200 })
  const { rows } = await pageOf('limit=5&dataset_name=barley')
  expect(rows.map((row) => [row.model_name, row.fold_id, row.val_score]).toSorted()).toEqual([
    ['PLS7', '0', 0.5],
    ['PLS7', '1', 0.5],
  ])
  const detail = (await app.get(`/predictions/${rows[0]?.prediction_id}`)) as PredictionDetail
  expect(detail).toMatchObject({ dataset_name: 'barley', preprocessings: 'SNV', has_arrays: true })
  const { regression, sample_indices } = await scatterOf(rows[0]?.prediction_id ?? '')
  expect(regression).toMatchObject({ n: 3, rmse: 0.5, bias: 0.5, sep: 0 })
  expect(sample_indices).toEqual([4, 5, 6])
})

test('test_inspector_full_flow_migrated_store: from the facets to the chart of a regression, a binary and a multiclass prediction and the spread of its folds', async () => {
  app = await openTestApp(await copyMigratedDemo())
  const { facets } = (await app.get('/predictions/facets')) as Facets
  const tasks = facets.task_type?.values.map(({ value }) => value) ?? []
  expect(tasks).toEqual(expect.arrayContaining(['regression']))
  for (const task of tasks) {
    const [row] = (await pageOf(`limit=1&task_type=${task}&partition=val&fold_kind=fold&has_arrays=true`)).rows
    const id = row?.prediction_id ?? ''
    const scatter = await scatterOf(id)
    const samples = scatter.y_true.length
    expect(samples).toBeGreaterThan(0)
    expect(scatter.y_pred).toHaveLength(samples)
    if (task === 'regression') expect(scatter.regression).toMatchObject({ n: samples })
    else expect(scatter.classification?.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(samples)
    const { siblings } = (await app.get(`/predictions/${id}`)) as PredictionDetail
    const folds = siblings.filter(({ partition }) => partition === 'val')
    expect(folds.length).toBeGreaterThan(1)
    for (const fold of folds.slice(0, 3)) expect((await scatterOf(fold.prediction_id)).task_type).toBe(task)
  }
})
