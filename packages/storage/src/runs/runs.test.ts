import { RunDetail, RunPage, RunQuery } from '@nirs-workspace/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { openSampleCatalog, type SampleCatalog } from '../predictions/testing/sample-catalog.ts'
import { getRun } from './get.ts'
import { listRuns } from './list.ts'

let catalog: SampleCatalog
beforeAll(async () => {
  catalog = await openSampleCatalog()
  await catalog.insert('runs', [
    {
      run_id: 'r1',
      name: 'Screen',
      status: 'completed',
      created_at: '2026-01-01 10:00:00',
      completed_at: '2026-01-01 10:05:00.25',
      datasets: '[{"name": "Bl\\u00e9 dur"}, {"name": "rye"}, {"name": "rye"}]',
      config: '{"n_pipelines": 1, "tolerance": NaN}',
      summary: 'not json',
    },
    { run_id: 'r2', name: 'night', status: 'running', created_at: '2026-01-02 10:00:00', datasets: '["rye"]' },
    { run_id: 'r3', name: 'broken', status: 'failed', error: 'ValueError: x', created_at: null, datasets: '{' },
    { run_id: 'r4', name: 'tie', status: null, created_at: '2026-01-01 10:00:00', datasets: null },
  ])
  await catalog.insert('pipelines', [
    {
      pipeline_id: 'p1',
      run_id: 'r1',
      name: 'a',
      dataset_name: 'rye',
      status: 'completed',
      metric: 'rmse',
      created_at: '2026-01-01 10:01:00',
    },
    { pipeline_id: 'p2', run_id: 'r1', name: 'a_refit', dataset_name: 'rye', created_at: '2026-01-01 10:02:00', best_val: 0 },
  ])
  const row = { run_id: 'r1', pipeline_id: 'p1', dataset_name: 'rye' }
  await catalog.insertPredictions([
    { ...row, prediction_id: 'good', val_score: 0.4 },
    { ...row, prediction_id: 'better', val_score: 0.3, metric: 'RMSE' },
    { ...row, prediction_id: 'nan', val_score: Number.NaN },
    { ...row, prediction_id: 'refit', val_score: 0, pipeline_id: 'p2', fold_kind: 'refit', fold_id: 'final', refit_context: 'standalone' },
    { ...row, prediction_id: 'accurate', val_score: 0.9, metric: 'accuracy' },
    { ...row, prediction_id: 'odd', val_score: 0.9, metric: 'who knows' },
    { ...row, prediction_id: 'average', val_score: 0.35, fold_kind: 'average', fold_id: 'avg' },
    { ...row, prediction_id: 'uncrossed', val_score: 0.01, fold_kind: 'single', fold_id: '' },
    { prediction_id: 'elsewhere', run_id: 'r2', val_score: 0.1 },
  ])
})
afterAll(() => catalog.close())

const list = async (query: Partial<RunQuery>) => RunPage.parse(await listRuns(catalog, RunQuery.parse(query)))
const ids = async (query: Partial<RunQuery>) => (await list(query)).rows.map((run) => run.run_id)

describe('runs', () => {
  test('come newest first, those without a date last', async () => {
    expect(await ids({})).toEqual(['r2', 'r1', 'r4', 'r3'])
    expect(await list({ limit: 1, offset: 2 })).toMatchObject({ rows: [{ run_id: 'r4', status: '' }], total: 4, offset: 2 })
  })

  test('carry counts and their best cross-validation score per dataset and metric, of all folds before one, never of refits or by guess', async () => {
    const { rows } = await list({ q: 'screen' })
    const best = { dataset_name: 'rye', model_name: 'PLS' }
    expect(rows).toEqual([
      {
        run_id: 'r1',
        name: 'Screen',
        status: 'completed',
        created_at: '2026-01-01T10:00:00',
        completed_at: '2026-01-01T10:05:00.25',
        datasets: ['Blé dur', 'rye'],
        n_pipelines: 2,
        n_predictions: 8,
        error: null,
        best: [
          { ...best, metric: 'accuracy', direction: 'higher', val_score: 0.9, prediction_id: 'accurate', fold_id: '0', fold_kind: 'fold' },
          { ...best, metric: 'rmse', direction: 'lower', val_score: 0.35, prediction_id: 'average', fold_id: 'avg', fold_kind: 'average' },
        ],
      },
    ])
  })

  test('are found by name, id and decoded dataset names; status filters', async () => {
    expect(await ids({ q: 'BLÉ' })).toEqual(['r1'])
    expect(await ids({ q: 'rye r2' })).toEqual(['r2'])
    expect(await ids({ q: '%' })).toEqual([])
    expect(await ids({ status: ['failed', 'running'] })).toEqual(['r2', 'r3'])
  })

  test('one run has its configuration and its pipelines', async () => {
    const run = RunDetail.parse(await getRun(catalog, 'r1'))
    expect(run.config).toEqual({ n_pipelines: 1, tolerance: 'NaN' })
    expect(run.summary).toBe('not json')
    expect(run.pipelines.map(({ pipeline_id, status, n_predictions }) => [pipeline_id, status, n_predictions])).toEqual([
      ['p1', 'completed', 7],
      ['p2', '', 1],
    ])
  })

  test('an unknown run is not found', async () => {
    await expect(getRun(catalog, "r1' --")).rejects.toSatisfy((error) => isStorageError(error, 'run_not_found'))
  })
})
