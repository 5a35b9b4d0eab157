import { expect, test } from 'vitest'
import { Predictions } from '../portable/predictions.ts'
import { beginLineage, predictionOf, withStore } from './testing/store-fixture.ts'

test('test_workspace_store_chain_summary: means over real folds; averages, refits and twins stand apart', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    for (const partition of ['train', 'val', 'test'] as const) {
      for (const [fold_id, val_score] of [
        ['0', 1],
        ['1', 3],
        ['avg', 9],
        ['w_avg', 8],
        ['0_agg', 7],
      ] as const) {
        store.bufferPrediction(
          predictionOf(lineage, { fold_id, partition, val_score, test_score: val_score + 1, scores: { [partition]: { rmse: val_score } } }),
        )
      }
    }
    store.bufferPrediction(
      predictionOf(lineage, { fold_id: 'final', partition: 'test', val_score: 0, test_score: 5, refit_context: 'standalone' }),
    )
    await store.flush()
    const summary = await store.chainSummary(lineage.chain)
    expect(summary.cv).toEqual({ val: 2, test: 3, train: null, fold_count: 2 })
    expect(summary).toMatchObject({ average: { val_score: 9 }, weighted_average: { val_score: 8 }, final: { test_score: 5 } })
    expect(summary.aggregated).toMatchObject([{ fold_id: '0_agg', val_score: 7 }])
    expect(summary.chain).toMatchObject({ cv_val_score: 2, cv_fold_count: 2, final_test_score: 5, metric: 'rmse', model_name: 'PLS' })
    expect(summary.chain.cv_scores).toEqual({ val: { rmse: 2 }, test: { rmse: 2 } })
  }))

test('test_workspace_store_chain_of_several: figures are of the metric and the dataset that the chain names, and no others', () =>
  withStore(async (store, path) => {
    const lineage = await beginLineage(store)
    const add = (fold_id: string, val_score: number, other: object) =>
      store.bufferPrediction(predictionOf(lineage, { fold_id, val_score, scores: { val: { x: val_score } }, ...other }))
    add('0', 1, { metric: 'rmse' })
    add('1', 0.5, { metric: 'r2' })
    add('2', 100, { metric: 'rmse', dataset_name: 'rye' })
    add('3', 3, { metric: 'rmse', scores: null })
    add('final', 7, { metric: 'r2', refit_context: 'standalone', partition: 'test', test_score: 7 })
    const [first = ''] = await store.flush()
    const both = async () => {
      const { chain, cv, final } = await store.chainSummary(lineage.chain)
      expect([chain.cv_val_score, chain.cv_fold_count, chain.final_test_score]).toEqual([cv.val, cv.fold_count, final?.test_score ?? null])
      return [chain.dataset_name, chain.metric, chain.cv_val_score, chain.cv_fold_count, chain.final_test_score]
    }
    expect(await both()).toEqual(['wheat', 'rmse', 2, 2, null])
    expect((await store.getChain(lineage.chain))?.cv_scores).toEqual({ val: { x: 1 } })
    add('4', 0.75, { metric: 'r2' })
    await store.flush()
    expect(await both()).toEqual(['wheat', 'r2', 0.625, 2, 7])
    await store.deletePredictions([first])
    expect(await both()).toEqual(['wheat', 'r2', 0.625, 2, 7])
    await store.close()
    await using predictions = await Predictions.open(path)
    const { rows } = await predictions.query("SELECT n_folds, val_mean FROM chain_summary WHERE metric = 'r2'")
    expect(rows).toEqual([[2, 0.625]])
  }))

test('test_workspace_store_spellings: of one metric count as one; parameters are those of the first; a refit is one under any name', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    for (const [fold_id, metric, val_score, n_components] of [
      ['0', 'r2', 0.5, 10],
      ['1', 'r2_score', 0.9, 9],
      ['2', 'R2', 0.7, 8],
    ] as const) {
      store.bufferPrediction(predictionOf(lineage, { fold_id, metric, val_score, best_params: { n_components } }))
    }
    const refit = { fold_id: '', metric: 'r2', partition: 'test', refit_context: 'standalone', val_score: null, test_score: 0.6 } as const
    const [, , last = ''] = await store.flush()
    await store.savePrediction(predictionOf(lineage, { ...refit, best_params: { n_components: 12 } }))
    const { chain, cv, final } = await store.chainSummary(lineage.chain)
    expect(cv.val).toBeCloseTo(0.7, 12)
    expect(chain).toMatchObject({ metric: 'r2', cv_val_score: cv.val, cv_fold_count: 3, best_params: { n_components: 10 } })
    expect([final?.test_score, chain.final_test_score, cv.fold_count]).toEqual([0.6, 0.6, 3])
    const best = async (metric?: string) => (await store.topPredictions({ metric })).map(({ val_score }) => val_score)
    expect(await best('r2')).toEqual([0.9, 0.7, 0.5])
    expect(await best()).toEqual([0.9, 0.7, 0.5])
    await store.deletePredictions([last])
    expect(await store.getChain(lineage.chain)).toMatchObject({ cv_val_score: 0.7, cv_fold_count: 2, final_test_score: 0.6 })
  }))

test('test_surviving_summary_refreshed: a chain that loses predictions says what is left of it, and of real folds as before', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    for (const [fold_id, val_score] of [
      ['0', 1],
      ['1', 3],
      ['2', 6],
      ['3', 6],
      ['avg', 9],
    ] as const) {
      store.bufferPrediction(predictionOf(lineage, { fold_id, val_score, scores: { val: { rmse: val_score } } }))
    }
    const ids = await store.flush()
    expect(await store.getChain(lineage.chain)).toMatchObject({ cv_val_score: 4, cv_fold_count: 4 })
    await store.deletePredictions([ids[2] ?? ''])
    const { cv } = await store.chainSummary(lineage.chain)
    expect(cv).toMatchObject({ val: 10 / 3, fold_count: 3 })
    expect(await store.getChain(lineage.chain)).toMatchObject({
      cv_val_score: cv.val,
      cv_fold_count: 3,
      cv_scores: { val: { rmse: 10 / 3 } },
      metric: 'rmse',
      model_name: 'PLS',
    })
  }))

test('test_surviving_refit: whatever of a chain without averages goes, its refit keeps its figures, and each real fold counts once', () =>
  withStore(async (store) => {
    const lineage = await beginLineage(store)
    const scores = { train: { rmse: 0.2 } }
    for (const [fold_id, val_score, mse] of [
      ['0', 1, 2e-7],
      ['1', 3, 3e-7],
      ['2', 8, 9],
    ] as const) {
      store.bufferPrediction(predictionOf(lineage, { fold_id, val_score, scores: { val: { mse } } }))
      store.bufferPrediction(predictionOf(lineage, { fold_id, val_score, partition: 'train' }))
    }
    const refit = { fold_id: 'final', partition: 'train', refit_context: 'standalone', val_score: null, train_score: 0.2, scores } as const
    store.bufferPrediction(predictionOf(lineage, refit))
    const ids = await store.flush()
    const final = { final_train_score: 0.2, final_scores: scores }
    expect(await store.getChain(lineage.chain)).toMatchObject({ cv_val_score: 4, cv_fold_count: 3, ...final })
    await store.deletePredictions(ids.slice(3, 6))
    const { cv, chain } = await store.chainSummary(lineage.chain)
    expect(cv).toMatchObject({ val: 2, fold_count: 2 })
    expect(chain).toMatchObject({ cv_val_score: 2, cv_fold_count: 2, cv_scores: { val: { mse: 2.5e-7 } }, ...final })
  }))
