import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { getPrediction } from './get.ts'
import { openSampleCatalog, type SampleCatalog } from './testing/sample-catalog.ts'

let catalog: SampleCatalog
beforeAll(async () => {
  catalog = await openSampleCatalog()
  const chain = { chain_id: 'chain', model_name: 'PLS' }
  await catalog.insertPredictions([
    {
      ...chain,
      prediction_id: 'whole',
      scores: '{"val": {"rmse": 0.5, "nmse": "0.42630327", "rpd": Infinity, "sep": "nan", "note": "NaN-free", "r2": null}, "test": {}}',
      best_params: '{"n_components": 8, "alpha": NaN, "kernel": "Infinity"}',
    },
    { ...chain, prediction_id: 'f10', fold_id: '10', partition: 'val' },
    { ...chain, prediction_id: 'f2', fold_id: '2', partition: 'val', val_score: Number.NaN },
    { ...chain, prediction_id: 'avg', fold_id: 'avg', fold_kind: 'average', partition: 'val' },
    { ...chain, prediction_id: 'other model', model_name: 'Ridge' },
    { ...chain, prediction_id: 'other dataset', dataset_name: 'rye', fold_id: '3' },
    { ...chain, prediction_id: 'other metric', metric: 'r2', fold_id: '4' },
    { ...chain, prediction_id: 'other spelling', metric: 'RMSE', fold_id: '12' },
    { prediction_id: '__proto__', scores: '{"__proto__": {"__proto__": 1}}', best_params: '{"__proto__": 2}' },
    { prediction_id: 'no chain', pipeline_id: 'p', scores: null, best_params: null },
    { prediction_id: 'no chain either', pipeline_id: 'p' },
    { prediction_id: 'no chain, elsewhere', pipeline_id: 'p', dataset_name: 'rye' },
    { prediction_id: 'damaged', scores: "{'val': 1}", best_params: '[1, 2]' },
    { prediction_id: 'flat', scores: '{"rmse": 0.25, "test": {"curve": [1, 2]}}', best_params: '{' },
  ])
})
afterAll(() => catalog.close())

describe('one prediction', () => {
  test('scores: text that holds a number becomes one, bare NaN and Infinity travel as words', async () => {
    const { scores, params, undecodable } = await getPrediction(catalog, 'whole')
    expect(scores).toEqual({
      val: { rmse: 0.5, nmse: 0.42630327, rpd: 'Infinity', sep: 'NaN', note: 'NaN-free', r2: null },
      test: {},
    })
    expect(params).toEqual({ n_components: 8, alpha: 'NaN', kernel: 'Infinity' })
    expect(undecodable).toBeUndefined()
  })

  test('siblings are the other rows of the chain and model on its dataset and of its metric, folds in the order of their numbers', async () => {
    const { siblings } = await getPrediction(catalog, 'whole')
    expect(siblings.map((row) => row.prediction_id)).toEqual(['f2', 'f10', 'other spelling', 'avg'])
    expect(siblings[0]).toEqual({
      prediction_id: 'f2',
      fold_id: '2',
      fold_kind: 'fold',
      partition: 'val',
      val_score: 'NaN',
      test_score: null,
      train_score: null,
      n_samples: null,
      has_arrays: true,
    })
  })

  test('without a chain, siblings share pipeline, model and dataset', async () => {
    const { siblings, scores, params } = await getPrediction(catalog, 'no chain')
    expect(siblings.map((row) => row.prediction_id)).toEqual(['no chain either'])
    expect([scores, params]).toEqual([{}, {}])
  })

  test('a name __proto__ is data', async () => {
    const { scores, params } = await getPrediction(catalog, '__proto__')
    expect(JSON.stringify([scores, params])).toBe('[{"__proto__":{"__proto__":1}},{"__proto__":2}]')
  })

  test('columns that are not JSON are named, the rest of the row is shown', async () => {
    expect(await getPrediction(catalog, 'damaged')).toMatchObject({ scores: {}, params: { '': [1, 2] }, undecodable: ['scores'] })
    expect(await getPrediction(catalog, 'flat')).toMatchObject({
      scores: { '': { rmse: 0.25 }, test: { curve: '[1,2]' } },
      params: {},
      undecodable: ['best_params'],
    })
  })

  test('an unknown id is not found', async () => {
    await expect(getPrediction(catalog, "' OR 1=1 --")).rejects.toSatisfy((error) => isStorageError(error, 'prediction_not_found'))
  })
})
