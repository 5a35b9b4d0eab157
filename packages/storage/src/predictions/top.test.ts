import type { TopQuery } from '@nirs-workspace/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { openSampleCatalog, type SampleCatalog, type SampleRow } from './testing/sample-catalog.ts'
import { TopRequest, topPredictions } from './top.ts'

const rows: SampleRow[] = [
  { prediction_id: 'nan', val_score: Number.NaN },
  { prediction_id: 'minus infinity', val_score: Number.NEGATIVE_INFINITY },
  { prediction_id: 'null', val_score: null },
  { prediction_id: 'b', val_score: 0.5 },
  { prediction_id: 'a', val_score: 0.5 },
  { prediction_id: 'avg', val_score: 0.7, fold_id: 'avg', fold_kind: 'average' },
  { prediction_id: 'single', val_score: 0.9, fold_id: '', fold_kind: 'single' },
  { prediction_id: 'train', val_score: 0.1, partition: 'train' },
  {
    prediction_id: 'refit',
    val_score: 0,
    test_score: 0.4,
    fold_id: 'final',
    fold_kind: 'refit',
    partition: 'test',
    refit_context: 'standalone',
  },
  {
    prediction_id: 'refit 2',
    val_score: 0,
    test_score: 0.3,
    fold_id: 'final',
    fold_kind: 'refit',
    partition: 'test',
    refit_context: 'standalone',
  },
  { prediction_id: 'refit val', val_score: 0, fold_id: 'final', fold_kind: 'refit', refit_context: 'standalone' },
  { prediction_id: 'twin', val_score: 0.01, fold_id: '0_agg', aggregated: true },
  { prediction_id: 'acc low', val_score: 0.1, metric: 'accuracy' },
  { prediction_id: 'acc high', val_score: 0.8, metric: 'accuracy' },
  { prediction_id: 'bias far', val_score: -3, metric: 'bias' },
  { prediction_id: 'bias near', val_score: 0.2, metric: 'bias' },
  { prediction_id: 'bias nearest', val_score: -0.1, metric: 'bias' },
  { prediction_id: 'rye', val_score: 9, dataset_name: 'rye' },
  { prediction_id: 'oat r2', val_score: 0.5, dataset_name: 'oat', metric: 'r2' },
  { prediction_id: 'oat R2', val_score: 0.7, dataset_name: 'oat', metric: 'R2' },
  { prediction_id: 'oat r2_score', val_score: 0.6, dataset_name: 'oat', metric: 'r2_score' },
]

let catalog: SampleCatalog
beforeAll(async () => {
  catalog = await openSampleCatalog()
  await catalog.insertPredictions(rows)
})
afterAll(() => catalog.close())

const top = async (query: Partial<TopQuery>, from = catalog) =>
  (await topPredictions(from, TopRequest.parse(query))).map((row) => row.prediction_id)

describe('top', () => {
  test('ranks cross-validation rows only, finite scores only, ties by id', async () => {
    expect(await top({ dataset_name: 'wheat', metric: 'rmse' })).toEqual(['a', 'b', 'avg', 'single'])
    expect(await top({ dataset_name: 'wheat', metric: 'rmse', n: 1 })).toEqual(['a'])
    expect(await top({ dataset_name: 'wheat', metric: 'rmse', n: Number.MAX_SAFE_INTEGER })).toEqual(['a', 'b', 'avg', 'single'])
  })

  test('goes in the direction of the metric; a bias counts by its distance from zero', async () => {
    expect(await top({ metric: 'accuracy' })).toEqual(['acc high', 'acc low'])
    expect(await top({ metric: 'bias' })).toEqual(['bias nearest', 'bias near', 'bias far'])
  })

  test('answers the best of every dataset and metric when several remain', async () => {
    expect(await top({ n: 1 })).toEqual(['oat R2', 'rye', 'acc high', 'bias nearest', 'a'])
  })

  test('spellings of one metric are ranked together', async () => {
    expect(await top({ dataset_name: 'oat' })).toEqual(['oat R2', 'oat r2_score', 'oat r2'])
    expect(await top({ dataset_name: 'oat', metric: 'r2', n: 2 })).toEqual(['oat R2', 'oat r2_score'])
  })

  test('an alias finds its metric, in any case', async () => {
    expect(await top({ metric: 'RMSECV', dataset_name: 'rye' })).toEqual(['rye'])
  })

  test('one kind of rows can be asked for; refits are ranked by their test score', async () => {
    expect(await top({ fold_kind: 'average' })).toEqual(['avg'])
    expect(await top({ fold_kind: 'refit' })).toEqual(['refit 2', 'refit'])
    expect(await top({ fold_kind: 'other' })).toEqual([])
  })

  test('a direction that the caller gives holds for the metric that the caller names', async () => {
    expect(await top({ metric: 'accuracy', direction: 'lower' })).toEqual(['acc low', 'acc high'])
    expect(await top({ direction: 'higher', dataset_name: 'rye' })).toEqual(['rye'])
  })

  test('a metric of unknown direction is never ranked by guess', async () => {
    const unknown = await openSampleCatalog()
    await unknown.insertPredictions([
      { prediction_id: 'x', metric: "my 'metric'", val_score: 1 },
      { prediction_id: 'y', metric: "my 'metric'", val_score: 2 },
      { prediction_id: 'z', val_score: 2 },
    ])
    await expect(top({}, unknown)).rejects.toSatisfy((error) => isStorageError(error, 'metric_direction_unknown'))
    expect(await top({ metric: 'rmse' }, unknown)).toEqual(['z'])
    expect(await top({ direction: 'higher' }, unknown)).toEqual(['y', 'x', 'z'])
    unknown.close()
  })

  test('nothing to rank is an empty list', async () => {
    expect(await top({ dataset_name: 'nowhere' })).toEqual([])
    expect(await top({ metric: 'mae' })).toEqual([])
  })
})
