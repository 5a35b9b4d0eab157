import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beginLineage, predictionOf } from '../store/testing/store-fixture.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'

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
