import { expect, test } from 'vitest'
import { beginLineage, predictionOf, withStore } from './testing/store-fixture.ts'
import type { WorkspaceStore } from './workspace-store.ts'

/** A chain with one fold per score, and a refit when it has a test score. */
const addChain = async (
  store: WorkspaceStore,
  scores: readonly number[],
  more: { dataset?: string; metric?: string; final?: number } = {},
) => {
  const { dataset = 'wheat', metric = 'rmse', final } = more
  const lineage = await beginLineage(store, dataset)
  const add = (given: object) => store.bufferPrediction(predictionOf(lineage, { dataset_name: dataset, metric, ...given }))
  for (const [fold, val_score] of scores.entries()) add({ fold_id: `${fold}`, val_score })
  if (final !== undefined) add({ fold_id: 'final', partition: 'test', val_score: 0, test_score: final, refit_context: 'standalone' })
  await store.flush()
  return lineage
}

test('test_workspace_store_top_chains: ranked by their figures with the direction of the metric, non-finite last, without those that have none', () =>
  withStore(async (store) => {
    const worse = await addChain(store, [3, 5], { final: 2 })
    const better = await addChain(store, [1, 2], { metric: 'RMSE', final: 9 })
    const diverged = await addChain(store, [Number.NaN])
    const unfitted = await beginLineage(store)
    const other = await addChain(store, [0.5, 0.7], { dataset: 'rye', metric: 'r2' })
    const better2 = await addChain(store, [0.9], { dataset: 'rye', metric: 'r2' })

    const top = async (options: Parameters<WorkspaceStore['topChains']>[0]) => (await store.topChains(options)).map((row) => row.chain_id)
    expect(await top({ metric: 'rmse' })).toEqual([better.chain, worse.chain, diverged.chain])
    expect(await top({ metric: 'rmse', by: 'final_test_score' })).toEqual([worse.chain, better.chain])
    expect(await top({ metric: 'rmse', n: 1 })).toEqual([better.chain])
    expect(await top({ metric: 'rmse', direction: 'higher' })).toEqual([worse.chain, better.chain, diverged.chain])
    expect(await top({ dataset_name: 'rye' })).toEqual([better2.chain, other.chain])
    expect(await top({ dataset_name: 'rye', n: 1, group_by: 'pipeline_id' })).toHaveLength(2)
    expect(await top({ run_id: unfitted.run })).toEqual([])
    await expect(store.topChains()).rejects.toMatchObject({ code: 'validation', message: expect.stringContaining('several metrics') })
    await expect(store.topChains(JSON.parse('{"by":"val"}'))).rejects.toMatchObject({ code: 'validation' })
    await addChain(store, [1], { dataset: 'oat', metric: 'smoothness' })
    await expect(store.topChains({ dataset_name: 'oat' })).rejects.toMatchObject({ code: 'metric_direction_unknown' })
  }))

test('test_workspace_store_list_chains: by run, pipeline, dataset and metric, in pages that neither repeat nor leave out', () =>
  withStore(async (store) => {
    const wheat = await addChain(store, [1])
    const rye = await addChain(store, [0.5], { dataset: 'rye', metric: 'r2' })
    const bare = await beginLineage(store)
    const list = async (...given: Parameters<WorkspaceStore['listChains']>) => (await store.listChains(...given)).map((row) => row.chain_id)
    expect((await list()).toSorted()).toEqual([wheat.chain, rye.chain, bare.chain].toSorted())
    expect([...(await list({}, { limit: 2 })), ...(await list({}, { limit: 2, offset: 2 }))]).toEqual(await list())
    expect(await list({ run_id: wheat.run })).toEqual([wheat.chain])
    expect((await list({ pipeline_id: [rye.pipeline, bare.pipeline] })).toSorted()).toEqual([rye.chain, bare.chain].toSorted())
    expect(await list({ dataset_name: 'rye', metric: 'r2' })).toEqual([rye.chain])
    expect(await list({ dataset_name: [] })).toEqual([])
    expect(await store.listChains({ run_id: rye.run })).toMatchObject([{ cv_val_score: 0.5, cv_fold_count: 1, metric: 'r2' }])
    await expect(store.listChains(JSON.parse('{"colour":"red"}'))).rejects.toMatchObject({ code: 'validation' })
  }))
