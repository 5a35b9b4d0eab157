import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beginLineage, predictionOf } from '../store/testing/store-fixture.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

test('a chain that gets predictions of another metric keeps its figures to that which it names', async () => {
  await using scratch = await temporaryFolder()
  const [target, source] = [join(scratch.path, 'target'), join(scratch.path, 'source')]
  const made = await WorkspaceStore.open(target, { create: true })
  const lineage = await beginLineage(made)
  await made.savePrediction(predictionOf(lineage, { fold_id: '0', val_score: 1 }))
  await made.close()
  await cp(target, source, { recursive: true })
  const other = await WorkspaceStore.open(source)
  other.bufferPrediction(predictionOf(lineage, { fold_id: '1', val_score: 0.5, metric: 'r2' }))
  other.bufferPrediction(predictionOf(lineage, { fold_id: '2', val_score: 3 }))
  await other.flush()
  await other.close()
  await mergeStores(target, [source], { jobId: 'job' })
  await using store = await WorkspaceStore.open(target, { mode: 'read' })
  expect(await store.queryPredictions()).toHaveLength(3)
  expect(await store.getChain(lineage.chain)).toMatchObject({ metric: 'rmse', cv_val_score: 2, cv_fold_count: 2 })
})

const figures = 'SELECT final_agg_test_score AS test, final_agg_train_score AS train, final_agg_scores AS scores FROM chains'
const stated = { test: 0.5, train: 0.25, scores: '{"test": {"rmse": 0.5}, "train": {"rmse": 0.25}}' }

/** A workspace whose chain has a refit with a twin over repetitions, and figures of it; the test score of the twin is given. */
const makeTwin = (path: string, score: number, id = 'twin test') =>
  makeHybrid(path, {
    predictions: [
      { id: 'fold' },
      { id, fold: 'final_agg', partition: 'test', refit: '{}', score: 0 },
      { id: 'twin train', fold: 'final_agg', partition: 'train', refit: '{}', score: 0 },
    ],
    extra: [
      'ALTER TABLE chains ADD COLUMN final_agg_test_score DOUBLE',
      'ALTER TABLE chains ADD COLUMN final_agg_train_score DOUBLE',
      'ALTER TABLE chains ADD COLUMN final_agg_scores JSON',
      `UPDATE predictions SET test_score = ${score} WHERE prediction_id = '${id}'`,
      `UPDATE chains SET final_agg_test_score = ${stated.test}, final_agg_train_score = ${stated.train}, final_agg_scores = '${stated.scores}'`,
    ],
  })

test('figures of the twin of a refit go with the prediction of the target that gives way, the others stay', async () => {
  await using scratch = await temporaryFolder()
  const target = await makeTwin(join(scratch.path, 'target'), 0.5)
  const better = await makeTwin(join(scratch.path, 'better'), 0.4)
  await mergeStores(target, [better], { jobId: 'job', onConflict: 'keep_best' })
  expect(await queryStore(target, 'SELECT test_score FROM predictions WHERE test_score IS NOT NULL')).toEqual([{ test_score: 0.4 }])
  expect(await queryStore(target, figures)).toEqual([{ test: null, train: 0.25, scores: null }])
})

test('figures of the twin of a refit stay while its predictions do', async () => {
  await using scratch = await temporaryFolder()
  const target = await makeTwin(join(scratch.path, 'target'), 0.5)
  const worse = await makeTwin(join(scratch.path, 'worse'), 0.6)
  await mergeStores(target, [worse], { jobId: 'job', onConflict: 'keep_best' })
  expect(await queryStore(target, figures)).toEqual([stated])
})

test('figures of the twin of a refit do not come where its prediction gives way to a later source', async () => {
  await using scratch = await temporaryFolder()
  const first = await makeTwin(join(scratch.path, 'first'), 0.5)
  const better = await makeTwin(join(scratch.path, 'better'), 0.4, 'other test')
  const target = join(scratch.path, 'target')
  await mergeStores(target, [first, better], { jobId: 'job', onConflict: 'keep_best', create: true })
  expect(await queryStore(target, 'SELECT test_score FROM predictions WHERE test_score IS NOT NULL')).toEqual([{ test_score: 0.4 }])
  expect(await queryStore(target, figures)).toEqual([{ test: null, train: 0.25, scores: null }])
})
