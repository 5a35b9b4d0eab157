import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { elementsOf } from '../engine/number-list.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { Predictions } from '../portable/predictions.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { arraysOf, faultScene, flushAgain, predictionOf } from './testing/store-fixture.ts'
import { WorkspaceStore } from './workspace-store.ts'

afterEach(() => setFaultHook(undefined))

test('nobody is shown the scores of one save with the arrays of another while it is not known whether a save that was killed came through', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const lineage = await faultScene(root)
  const other = await WorkspaceStore.open(root)
  await other.savePrediction(predictionOf(lineage, { fold_id: '5', val_score: 5 }), arraysOf(5, 5))
  await other.close()
  await stopFrom(
    ({ kind, path }) => kind === 'engine-write' && path.endsWith('/store.duckdb.wal'),
    0,
    () => flushAgain(root),
  )
  await using predictions = await Predictions.open(root, { cacheFolder: join(folder.path, 'cache') })
  const idOf = new Map((await predictions.toRows()).map((row) => [row.fold_id, row.prediction_id]))
  const [saved = '', bared = '', untouched = ''] = ['0', '3', '5'].map((fold) => idOf.get(fold))
  const predicted = async (id: string) => {
    const values = (await predictions.loadArrays([id])).get(id)?.y_pred
    return values ? [...elementsOf(values)] : null
  }
  const refusal = { code: 'interrupted', message: expect.stringContaining('has not ended') }
  for (const id of [saved, bared]) await expect(predicted(id)).rejects.toMatchObject(refusal)
  expect(await predicted(untouched)).toEqual([5, 5])
  await using reading = await WorkspaceStore.open(root, { mode: 'read' })
  await expect(reading.loadArrays(saved)).rejects.toMatchObject(refusal)
  const resolved = await resolveWorkspace(root)
  const catalog = { file: await buildCatalog(resolved, { cacheFolder: join(folder.path, 'cache') }) }
  const exporting = (fold: string) =>
    exportDataset(
      { resolved, catalog },
      {
        dataset_name: 'wheat',
        filters: { equals: { fold_id: [fold] } },
        format: 'csv',
        layout: 'prediction',
        csv_dialect: 'plain',
        target: join(folder.path, 'out.csv'),
      },
    )
  await expect(exporting('0')).rejects.toMatchObject(refusal)
  expect(await exporting('5')).toMatchObject({ rows: 1 })
  await forgetLock(root)
  expect(await recoverWorkspace(root)).toMatchObject({ outcome: 'undone' })
  expect(await predicted(saved)).toEqual([1, 1])
})

test('nor while the program that saved one again still has the store open, so that its new score cannot be read', async () => {
  await using folder = await temporaryFolder()
  const [root, cacheFolder] = [join(folder.path, 'workspace'), join(folder.path, 'cache')]
  const lineage = await faultScene(root)
  const resolved = await resolveWorkspace(root)
  const catalog = { file: await buildCatalog(resolved, { cacheFolder }) }
  await using predictions = await Predictions.open(root, { cacheFolder })
  const idOf = new Map((await predictions.toRows()).map((row) => [row.fold_id, row.prediction_id]))
  const [saved = '', untouched = ''] = ['0', '3'].map((fold) => idOf.get(fold))
  const predicted = async (id: string) => {
    const values = (await predictions.loadArrays([id])).get(id)?.y_pred
    return values ? [...elementsOf(values)] : null
  }
  const exporting = (fold_id: string) =>
    exportDataset(
      { resolved, catalog },
      {
        dataset_name: 'wheat',
        filters: { equals: { fold_id: [fold_id] } },
        format: 'csv',
        layout: 'sample',
        csv_dialect: 'plain',
        target: join(folder.path, 'out.csv'),
      },
    )
  await using store = await WorkspaceStore.open(root)
  await store.savePrediction(predictionOf(lineage, { fold_id: '0', val_score: 10 }), arraysOf(10, 10))
  const refusal = { code: 'interrupted', message: expect.stringContaining('was saved again') }
  await expect(predicted(saved)).rejects.toMatchObject(refusal)
  await expect(exporting('0')).rejects.toMatchObject(refusal)
  await expect(predictions.query('SELECT y_pred FROM samples')).rejects.toMatchObject(refusal)
  expect([await predicted(untouched), (await exporting('3')).rows]).toEqual([[4, 4], 2])
})

test('a check says of arrays of a save that was killed that they are of that, and not that they are those of another', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const lineage = await faultScene(root)
  const store = await WorkspaceStore.open(root)
  const id = await store.savePrediction(predictionOf(lineage, { fold_id: '5', val_score: 5 }), arraysOf(5, 5))
  await store.close()
  await stopFrom(
    ({ kind, path }) => kind === 'engine-write' && path.endsWith('/store.duckdb.wal'),
    0,
    async () => {
      const again = await WorkspaceStore.open(root)
      try {
        const longer = { y_true: [1, 2, 3], y_pred: [6, 6, 6], sample_indices: [0, 1, 2] }
        await again.savePrediction(predictionOf(lineage, { fold_id: '5', val_score: 6, n_samples: 3 }), longer)
      } finally {
        again.discardBuffer()
        await again.close()
      }
    },
  )
  await forgetLock(root)
  const brief = async () =>
    (await verifyWorkspace(root, { depth: 'quick' })).findings.flatMap(({ code, ids = [] }) => (ids.includes(id) ? [code] : []))
  expect(await brief()).toContain('interrupted_job')
  expect(await brief()).not.toContain('samples_mismatch')
  await recoverWorkspace(root)
  expect(await brief()).not.toContain('interrupted_job')
  expect(await brief()).not.toContain('samples_mismatch')
})
