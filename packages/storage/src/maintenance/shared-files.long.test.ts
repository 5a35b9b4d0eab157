import { copyFile, cp, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { afterEach, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { flipIn } from '../array-store/testing/flip-bits.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, saveArrays } from './testing/maintenance-fixture.ts'

afterEach(() => setFaultHook(undefined))

const job = { jobId: 'job' }
const apply = async (path: string, request: MaintenanceInput) => applyPlan(path, await makePlan(path, request), job)

const spaced = ['s0', 's1', 's2'].map((id, fold) => ({ id, dataset: 'soil pH', fold: String(fold) }))
const joined = ['j0', 'j1', 'j2'].map((id, fold) => ({ id, dataset: 'soil_pH', fold: String(fold) }))

/** Two datasets whose names lead to one file, each with a row group of its own, and one with a file of its own. */
const makeShared = async (path: string): Promise<string> => {
  const wheat = ['w0', 'w1'].map((id, fold) => ({ id, fold: String(fold) }))
  const later = joined.map((prediction) => ({ ...prediction, y: null }))
  await makeWorkspace(path, { kind: 'duckdb', predictions: [...spaced, ...later, ...wheat] })
  await saveArrays(path, joined)
  return join(path, 'arrays', 'soil_pH.parquet')
}

const rowsOf = async (path: string) => {
  const { datasets, tombstones } = await ArrayStore.open(path).stats()
  return { rows: Object.fromEntries(datasets.map(({ name, rows }) => [name, rows])), tombstones }
}

test('a dataset is removed from a file in which another is damaged: its rows are marked, which is said, and it comes back', async () => {
  await using folder = await temporaryFolder()
  await flipIn(await makeShared(folder.path), 1, 'y_pred')
  const { warnings, operation_id } = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'soil pH' })
  expect(warnings).toEqual([expect.stringMatching(/^arrays\/soil_pH\.parquet cannot be written anew.*"soil pH".*marked/)])
  expect(await readInterruption(folder.path)).toBeNull()
  expect(await ArrayStore.open(folder.path).loadSingle('s0')).toBeNull()
  expect(await rowsOf(folder.path)).toEqual({ rows: { 'soil pH': 3, soil_pH: 3, wheat: 2 }, tombstones: 3 })
  expect((await restoreTrash(folder.path, operation_id ?? '', job)).counts).toMatchObject({ predictions: 3, arrays: 3 })
  expect(await ArrayStore.open(folder.path).loadSingle('s0')).not.toBeNull()
})

test('a compaction of one dataset leaves the rows of another in its file, and one of all says which file it had to leave', async () => {
  await using folder = await temporaryFolder()
  const path = await makeShared(folder.path)
  await saveArrays(folder.path, [{ id: 'j1', dataset: 'soil_pH', fold: '1', score: 7 }])
  await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['s0', 'j0', 'w0'] })
  const one = await apply(folder.path, { kind: 'compact', dataset_name: 'soil pH' })
  expect(one).toMatchObject({ report: { datasets: { 'soil pH': { rows_before: 3, rows_after: 2, rows_removed: 1 } } }, warnings: [] })
  expect(await rowsOf(folder.path)).toEqual({ rows: { 'soil pH': 2, soil_pH: 4, wheat: 2 }, tombstones: 2 })
  await flipIn(path, 0, 'y_pred')
  const all = await apply(folder.path, { kind: 'compact' })
  const { size } = await stat(path)
  expect(all.report).toMatchObject({
    datasets: {
      'soil pH': { rows_before: 2, rows_after: 2, rows_removed: 0 },
      soil_pH: { rows_before: 4, rows_after: 4, rows_removed: 0 },
      wheat: { rows_before: 2, rows_after: 1, rows_removed: 1 },
    },
  })
  expect(all.warnings).toEqual([expect.stringMatching(/^arrays\/soil_pH\.parquet is left as it is.*y_pred/)])
  expect((await stat(path)).size).toBe(size)
  expect((await rowsOf(folder.path)).rows).toEqual({ 'soil pH': 2, soil_pH: 4, wheat: 1 })
})

test('a dataset goes without the arrays of predictions of another, whose rows stay where they are, also after a stop', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'ws')
  await mkdir(root)
  const corn = ['both', 'moved', 'marked'].map((id, fold) => ({ id, dataset: 'corn', fold: String(fold), y: null }))
  await makeWorkspace(root, { kind: 'sqlite', predictions: [{ id: 'w' }, ...corn] })
  await saveArrays(root, [{ id: 'both', dataset: 'corn' }, ...['both', 'moved', 'marked', 'nobody'].map((id) => ({ id }))])
  await ArrayStore.open(root).deleteBatch(new Set(['marked']))
  const stopped = join(folder.path, 'stopped')
  await cp(root, stopped, { recursive: true, preserveTimestamps: true })
  const request = { kind: 'remove_dataset', dataset_name: 'wheat' } as const
  const plan = await makePlan(root, request)
  expect(plan.items.filter(({ what }) => what === 'arrays').map(({ id }) => id)).toEqual(['nobody', 'w'])
  expect(plan.report).toMatchObject({ predictions_removed: 1, parquet_deleted: false })
  const said = expect.stringMatching(/^3 rows stay in arrays\/wheat\.parquet under the ids of predictions.*another dataset/)
  expect(plan.warnings).toEqual([said])
  expect((await applyPlan(root, plan, job)).warnings).toEqual([said])

  const again = await makePlan(stopped, request)
  setFaultHook(({ kind, path }) => {
    if (kind === 'rename' && path.includes('/arrays/')) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(applyPlan(stopped, again, job)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await forgetLock(stopped)
  expect(await recoverWorkspace(stopped)).toMatchObject({ outcome: 'finished' })
  for (const path of [root, stopped]) {
    const arrays = ArrayStore.open(path)
    expect([...(await arrays.loadBatch(['both', 'moved', 'marked', 'nobody', 'w'])).keys()].sort()).toEqual(['both', 'moved'])
    expect(await rowsOf(path)).toEqual({ rows: { corn: 1, wheat: 3 }, tombstones: 1 })
  }
})

test('a compaction of one dataset leaves the marks of predictions that have rows in another', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'w' }, { id: 'c', dataset: 'corn' }] })
  await ArrayStore.open(folder.path).deleteBatch(new Set(['w', 'c']))
  await apply(folder.path, { kind: 'compact', dataset_name: 'wheat' })
  expect((await rowsOf(folder.path)).tombstones).toBe(2)
  await saveArrays(folder.path, [{ id: 'gone' }])
  await ArrayStore.open(folder.path).deleteBatch(new Set(['gone']))
  await apply(folder.path, { kind: 'compact', dataset_name: 'wheat' })
  const arrays = ArrayStore.open(folder.path)
  expect([...(await arrays.loadBatch(['w', 'c'])).keys()]).toEqual(['w'])
  expect(await rowsOf(folder.path)).toEqual({ rows: { corn: 1, wheat: 1 }, tombstones: 1 })
})

test('every file of a dataset that cannot be written anew is said', async () => {
  await using folder = await temporaryFolder()
  const path = await makeShared(folder.path)
  await flipIn(path, 1, 'y_pred')
  await copyFile(path, join(folder.path, 'arrays', 'copy.parquet'))
  const { warnings } = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'soil pH' })
  const said = (name: string) => expect.stringMatching(new RegExp(`^arrays/${name}\\.parquet cannot be written anew`))
  expect(warnings).toEqual([said('copy'), said('soil_pH')])
})
