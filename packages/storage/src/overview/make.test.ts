import { OverviewResponse } from '@nirs-workspace/types'
import { afterEach, describe, expect, test } from 'vitest'
import { listDatasets } from '../predictions/datasets.ts'
import { openSampleCatalog, type SampleCatalog, type SampleRow } from '../predictions/testing/sample-catalog.ts'
import { makeOverview } from './make.ts'

let catalog: SampleCatalog | undefined
afterEach(() => catalog?.close())

const filled = async (rows: readonly SampleRow[]) => {
  catalog = await openSampleCatalog()
  await catalog.insertPredictions(rows)
  return catalog
}

describe('overview', () => {
  test('shows each dataset with its best models; cross-validation and refit apart, metrics apart', async () => {
    const refit = { fold_id: 'final', fold_kind: 'refit', refit_context: 'standalone', val_score: 0, partition: 'test' } as const
    const from = await filled([
      { prediction_id: 'cv', val_score: 0.5, preprocessings: 'SNV' },
      { prediction_id: 'cv worse', val_score: 0.6, model_name: 'Ridge', has_arrays: false },
      { prediction_id: 'cv nan', val_score: Number.NaN },
      { prediction_id: 'acc', val_score: 0.7, metric: 'accuracy', task_type: 'multiclass_classification' },
      { prediction_id: 'odd', val_score: 0.7, metric: 'who knows' },
      { ...refit, prediction_id: 'refit', test_score: 0.9 },
      { ...refit, prediction_id: 'refit better', test_score: 0.8 },
      { ...refit, prediction_id: 'refit nan', test_score: Number.NaN },
      { ...refit, prediction_id: 'refit train', test_score: 0.1, partition: 'train' },
      { prediction_id: 'empty', dataset_name: 'rye', val_score: null },
    ])
    const overview = OverviewResponse.parse(await makeOverview(from))
    expect(overview.datasets).toEqual([
      {
        dataset_name: 'rye',
        task_type: 'regression',
        predictions: 1,
        models: 1,
        arrays: 1,
        metrics: ['rmse'],
        best_cv: [],
        best_refit: [],
        scores: [],
      },
      {
        dataset_name: 'wheat',
        task_type: 'regression',
        predictions: 9,
        models: 2,
        arrays: 8,
        metrics: ['rmse', 'accuracy', 'who knows'],
        best_cv: [
          { metric: 'accuracy', direction: 'higher', val_score: 0.7, prediction_id: 'acc', model_name: 'PLS', preprocessings: 'raw' },
          { metric: 'rmse', direction: 'lower', val_score: 0.5, prediction_id: 'cv', model_name: 'PLS', preprocessings: 'SNV' },
        ],
        best_refit: [{ metric: 'rmse', direction: 'lower', test_score: 0.8, prediction_id: 'refit better', model_name: 'PLS' }],
        scores: [0.5, 0.6],
      },
    ])
    expect(overview.recent_runs).toEqual([])
    expect(await listDatasets(from)).toEqual([
      { name: 'rye', predictions: 1, arrays: 1 },
      { name: 'wheat', predictions: 9, arrays: 8 },
    ])
  })

  test('takes spellings of one metric for one', async () => {
    const from = await filled([
      { prediction_id: 'a', metric: 'rmse', val_score: 0.5 },
      { prediction_id: 'b', metric: 'rmse', val_score: 0.6 },
      { prediction_id: 'c', metric: 'RMSE', val_score: 0.3 },
      { prediction_id: 'd', metric: 'accuracy', val_score: 0.9 },
      { prediction_id: 'e', metric: 'accuracy', val_score: 0.9 },
    ])
    const [dataset] = (await makeOverview(from)).datasets
    expect(dataset?.metrics).toEqual(['rmse', 'RMSE', 'accuracy'])
    expect(dataset?.best_cv.map(({ metric, val_score }) => [metric, val_score])).toEqual([
      ['accuracy', 0.9],
      ['RMSE', 0.3],
    ])
    expect(dataset?.scores).toEqual([0.3, 0.5, 0.6])
  })

  test.each([199, 200, 201, 1000])('of %i scores at most 200 are drawn, the ends among them', async (n) => {
    const from = await filled(Array.from({ length: n }, (_, id) => ({ prediction_id: `id-${id}`, val_score: (id * 7919) % n })))
    const { scores = [] } = (await makeOverview(from)).datasets[0] ?? {}
    expect(scores).toHaveLength(Math.min(n, 200))
    expect([scores[0], scores.at(-1)]).toEqual([0, n - 1])
    expect(new Set(scores).size).toBe(scores.length)
  })

  test('an empty workspace has an empty overview', async () => {
    expect(await makeOverview(await filled([]))).toEqual({ datasets: [], recent_runs: [], unreadable_files: [] })
  })
})
