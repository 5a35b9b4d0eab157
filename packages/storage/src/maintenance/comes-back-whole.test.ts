import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { checkRestore } from '../trash/check-restore.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, saveArrays, snapshot } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', dataset: 'corn' }]
const apply = async (path: string, request: MaintenanceInput) => applyPlan(path, await makePlan(path, request), job)

test('arrays on the list of removed predictions that the metadata knows go to the trash, and come back with their mark', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const whole = await snapshot(folder.path)
  const arrays = ArrayStore.open(folder.path)
  await arrays.deleteBatch(new Set(['a']))
  const before = await snapshot(folder.path)
  const single = await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  expect(single.counts).toMatchObject({ predictions: 1, arrays: 1 })
  await apply(folder.path, { kind: 'compact' })
  await restoreTrash(folder.path, single.operation_id ?? '', job)
  expect(await snapshot(folder.path)).toEqual(before)
  const { counts, operation_id } = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
  expect(counts).toMatchObject({ predictions: 2, arrays: 2 })
  await restoreTrash(folder.path, operation_id ?? '', { ...job, ids: ['a'] })
  expect(await arrays.loadSingle('a')).toBeNull()
  expect(await arrays.restoreBatch(new Set(['a']))).toBe(1)
  await restoreTrash(folder.path, operation_id ?? '', job)
  expect(await snapshot(folder.path)).toEqual(whole)
})

test('rows without an id stay in their file when the dataset goes, and the plan says so', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  await saveArrays(folder.path, [{ id: 'nameless' }])
  const file = join(folder.path, 'arrays', 'wheat.parquet')
  await rewriteParquet(file, "* REPLACE (nullif(prediction_id, 'nameless') AS prediction_id)")
  const before = await snapshot(folder.path)
  const applied = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
  expect(applied).toMatchObject({ counts: { arrays: 1 }, report: { parquet_deleted: false } })
  expect(applied.warnings).toEqual([
    'One row without an id stays in arrays/wheat.parquet: arrays are kept in the trash by the ids of their predictions.',
  ])
  expect((await ArrayStore.open(folder.path).stats()).total_rows).toBe(1)
  await restoreTrash(folder.path, applied.operation_id ?? '', job)
  expect(await snapshot(folder.path)).toEqual(before)
  expect((await ArrayStore.open(folder.path).stats()).total_rows).toBe(2)
})

test('arrays that were saved anew since are not restored over; the same ones are no reason to refuse', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }] })
  const strays = [{ id: 'x' }, { id: 'y', dataset: 'corn' }]
  await saveArrays(folder.path, strays)
  const whole = await snapshot(folder.path)
  const { operation_id } = await apply(folder.path, { kind: 'clean_dead_links', grace_hours: 0 })
  await saveArrays(folder.path, [{ id: 'x', y: [7, 8, 9] }])
  const before = await snapshot(folder.path)
  const taken = { code: 'restore_conflict', fields: { ids: ['x'] }, message: expect.stringContaining('other arrays of 1 prediction (x).') }
  await expect(checkRestore(folder.path, operation_id ?? '')).rejects.toMatchObject(taken)
  await expect(restoreTrash(folder.path, operation_id ?? '', job)).rejects.toMatchObject(taken)
  expect(await snapshot(folder.path)).toEqual(before)
  await restoreTrash(folder.path, operation_id ?? '', { ...job, ids: ['y'] })
  await saveArrays(folder.path, strays)
  await restoreTrash(folder.path, operation_id ?? '', job)
  expect(await snapshot(folder.path)).toEqual(whole)
})
