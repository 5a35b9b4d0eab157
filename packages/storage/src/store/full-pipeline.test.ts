import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Predictions } from '../portable/predictions.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { beginLineage, predictionOf } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

const measured = [10.5, 12.25, -0, 11]
const predictedBy = (error: number) => measured.map((value) => value + error)

/** Three folds of every error, in every partition, as a training leaves them. */
const train = async (path: string, dataset: string, errors: readonly number[]): Promise<void> => {
  await using store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store, dataset)
  for (const [model, error] of errors.entries()) {
    for (const fold_id of ['0', '1', '2']) {
      for (const partition of ['train', 'val', 'test'] as const) {
        const scores = { val_score: error, test_score: error, train_score: error }
        store.bufferPrediction(
          predictionOf(lineage, { dataset_name: dataset, model_name: `PLS${model}`, fold_id, partition, n_samples: 4, ...scores }),
          { y_true: measured, y_pred: predictedBy(error), sample_indices: [0, 1, 2, 3] },
        )
      }
    }
  }
  await store.flush()
  await store.completePipeline(lineage.pipeline, { best_val: Math.min(...errors), metric: 'rmse', duration_ms: 5 })
  await store.completeRun(lineage.run)
}

test('test_full_pipeline_with_parquet_arrays: what a training saves is ranked, and its arrays are read to the bit from the workspace and from a lone file', async () => {
  await using scratch = await temporaryFolder()
  const path = join(scratch.path, 'workspace')
  const cacheFolder = join(scratch.path, 'cache')
  await train(path, 'wheat', [0.5, 0.25, 1])
  await train(path, 'soil pH', [0.125])
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, rows_checked: 36, findings: [] })
  await using predictions = await Predictions.open(path, { cacheFolder })
  expect(await predictions.count()).toBe(36)
  const top = await predictions.top({ n: 4, dataset_name: 'wheat' })
  expect(top.map((row) => [row.model_name, row.val_score])).toEqual([...Array(3).fill(['PLS1', 0.25]), ['PLS0', 0.5]])
  for (const opened of [predictions, await Predictions.fromParquet(join(path, 'arrays', 'wheat.parquet'), { cacheFolder })]) {
    const best = (await opened.top({ n: 1, dataset_name: 'wheat' }))[0]
    const arrays = (await opened.loadArrays([best?.prediction_id ?? ''])).get(best?.prediction_id ?? '')
    expect(best).toMatchObject({ model_name: 'PLS1', val_score: 0.25, partition: 'val' })
    expect([...(arrays?.y_true?.values ?? [])]).toEqual(measured)
    expect([...(arrays?.y_pred?.values ?? [])]).toEqual(predictedBy(0.25))
    expect([...(arrays?.sample_indices?.values ?? [])]).toEqual([0, 1, 2, 3])
    if (opened !== predictions) await opened.close()
  }
  await train(path, 'wheat', [0.0625])
  await using again = await Predictions.open(path, { cacheFolder })
  expect((await again.top({ n: 1, dataset_name: 'wheat' })).map((row) => row.val_score)).toEqual([0.0625])
})
