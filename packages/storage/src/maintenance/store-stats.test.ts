import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { storeStats } from './store-stats.ts'
import { makeWorkspace, storeKinds } from './testing/maintenance-fixture.ts'

test.each(storeKinds)('store_stats of a store.%s: rows per table, predictions and bytes per dataset, the trash', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b' }, { id: 'c', dataset: 'soil pH' }, { id: 'd', y: null }] })
  const before = await hashTree(folder.path)
  const { size } = await stat(join(folder.path, 'arrays', 'wheat.parquet'))
  expect(await storeStats(folder.path)).toMatchObject({
    tables: { runs: 1, pipelines: 2, chains: 2, predictions: 4 },
    array_rows: 3,
    tombstones: 0,
    trash_size_bytes: 0,
    datasets: [
      { name: 'soil pH', predictions: 1, array_rows: 1, files: ['arrays/soil_pH.parquet'] },
      { name: 'wheat', predictions: 3, array_rows: 2, parquet_size_bytes: size },
    ],
  })
  expect(await hashTree(folder.path)).toBe(before)
  await applyPlan(folder.path, await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] }), { jobId: 'job' })
  const after = await storeStats(folder.path)
  expect(after).toMatchObject({ tables: { predictions: 3 }, array_rows: 3, tombstones: 1 })
  expect(after.trash_size_bytes).toBeGreaterThan(1000)
})
