import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSummaries } from '../array-store/read-summaries.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { Predictions } from '../portable/predictions.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { makeParquet, temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore, type WorkspaceToMake } from './testing/merge-fixture.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  setFaultHook(undefined)
  await folder[Symbol.asyncDispose]()
})

const cacheFolder = () => join(folder.path, 'cache')
const make = (name: string, workspace: WorkspaceToMake) => makeHybrid(join(folder.path, name), workspace)
const merge = (target: string, source: string, jobId = 'job') =>
  mergeStores(target, [source], { cacheFolder: cacheFolder(), jobId, onConflict: 'keep_all' })
const remove = async (path: string, request: Parameters<typeof makePlan>[1]) =>
  applyPlan(path, await makePlan(path, request), { jobId: 'remove' })
const marksOf = async (path: string) => [...(await readTombstones(join(path, 'arrays'))).keys()]
const mark = (path: string, ...ids: string[]) =>
  writeFile(
    join(path, 'arrays', '_tombstones.json'),
    JSON.stringify(Object.fromEntries(ids.map((id) => [id, '2026-02-19T10:00:00+00:00']))),
  )
/** The values of y_pred by id, of all predictions. */
const valuesOf = async (path: string) => {
  await using predictions = await Predictions.open(path, { cacheFolder: cacheFolder() })
  const ids = (await predictions.toRows()).map((row) => row.prediction_id).sort()
  const arrays = await predictions.loadArrays(ids)
  return ids.map((id) => [id, Array.from(arrays.get(id)?.y_pred?.values ?? [])])
}
const summarised = async (path: string) => (await readSummaries(path)).map(({ file, summary }) => [file, summary?.rows])

test('what was removed with its dataset comes back from a backup, to be seen', async () => {
  const predictions = [
    { id: 'x', y: [1] },
    { id: 'y', fold: '1', y: [2] },
  ]
  const [to, from] = [await make('to', { predictions }), await make('from', { predictions })]
  await mark(to, 'x')
  await rm(join(to, 'arrays', 'wheat.parquet'))
  await remove(to, { kind: 'remove_dataset', dataset_name: 'wheat' })
  expect(await marksOf(to)).toEqual(['x'])
  await merge(to, from)
  expect(await valuesOf(to)).toEqual([
    ['x', [1]],
    ['y', [2]],
  ])
  expect(await marksOf(to)).toEqual([])
})

test('what came under another id, was removed and comes again has its arrays', async () => {
  const to = await make('to', { predictions: [{ id: 'p', score: 1, y: [1] }] })
  const from = await make('from', { predictions: [{ id: 'p', score: 2, y: [2] }] })
  await merge(to, from)
  const [row] = await queryStore(to, 'SELECT prediction_id AS id FROM predictions WHERE val_score = 2')
  const id = String(row?.id)
  await remove(to, { kind: 'remove_predictions', prediction_ids: [id] })
  expect(await marksOf(to)).toEqual([id])
  await merge(to, from, 'again')
  expect(new Map((await valuesOf(to)).map(([key, values]) => [key, values]))).toEqual(
    new Map([
      ['p', [1]],
      [id, [2]],
    ]),
  )
  expect(await marksOf(to)).toEqual([])
  expect(await merge(to, from, 'third')).toMatchObject({ record_path: null })
})

/** A target that knows `x` and `y`, whose arrays of `x` are marked as removed, once more under another dataset; and a backup of it. */
const makeMarked = async () => {
  const wheat = [
    { id: 'x', score: 1, y: [1] },
    { id: 'y', fold: '1', score: 2, y: [2] },
  ]
  const to = await make('to', { predictions: [...wheat, { id: 's', dataset: 'soil', y: [3] }] })
  await makeParquet(
    join(to, 'arrays', 'wheat.parquet'),
    wheat.map((row) => ({ ...row, y: [-1] })),
  )
  await makeParquet(join(to, 'arrays', 'xylem.parquet'), [{ id: 'x', dataset: 'xylem', y: [-2] }])
  await mark(to, 'x', 'nobody')
  return { to, from: await make('from', { predictions: wheat.map((row) => (row.id === 'y' ? { ...row, y: [-1] } : row)) }) }
}

test('arrays of a prediction that stayed come back from a backup, once, and no others of its id', async () => {
  const { to, from } = await makeMarked()
  expect(await merge(to, from)).toMatchObject({
    datasets_merged: ['wheat'],
    array_rows: 1,
    sources: [{ already_there: 2, arrays_added: 1 }],
  })
  const expected = [
    ['s', [3]],
    ['x', [1]],
    ['y', [-1]],
  ]
  expect(await valuesOf(to)).toEqual(expected)
  expect(await marksOf(to)).toEqual(['nobody'])
  // The row that was removed counts no longer.
  expect(await summarised(to)).toContainEqual(['arrays/wheat.parquet', 2])
  expect(await merge(to, from, 'again')).toMatchObject({ record_path: null })
})

test.each([
  ['before its transaction', 1, 'undone', true],
  ['behind its transaction', 3, 'finished', false],
] as const)('a merge that was stopped %s: the marks are as the rest is', async (_, place, outcome, isHidden) => {
  const { to } = await makeMarked()
  const from = await make('more', {
    predictions: [
      { id: 'x', y: [1] },
      { id: 'nobody', fold: '2', y: [4] },
    ],
  })
  let opened = 0
  setFaultHook(({ kind, path }) => {
    if (path === join(to, 'store.duckdb') && (kind === 'engine-write' || kind === 'fsync')) opened += 1
    if (opened > place) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(merge(to, from)).rejects.toThrow()
  setFaultHook(undefined)
  await forgetLock(to)
  expect(await recoverWorkspace(to)).toMatchObject({ outcome })
  expect(await marksOf(to)).toEqual(isHidden ? ['x', 'nobody'] : [])
  expect((await valuesOf(to)).filter(([id]) => id === 'x' || id === 'nobody')).toEqual(
    isHidden
      ? [['x', []]]
      : [
          ['nobody', [4]],
          ['x', [1]],
        ],
  )
})

test('what gives way without arrays is not marked', async () => {
  const to = await make('to', {
    predictions: [
      { id: 't', score: 2, y: null },
      { id: 'u', fold: '1' },
    ],
  })
  const from = await make('from', { predictions: [{ id: 's', score: 1 }] })
  const options = { cacheFolder: cacheFolder(), jobId: 'job', onConflict: 'keep_best' } as const
  expect(await mergeStores(to, [from], options)).toMatchObject({ sources: [{ replaced: 1 }] })
  expect(await marksOf(to)).toEqual([])
})

test('what gives way although its array file is missing does not stop a merge, whose trash has its row', async () => {
  const to = await make('to', { predictions: [{ id: 't', score: 5 }] })
  const from = await make('from', { predictions: [{ id: 's', score: 1 }] })
  const file = join(to, 'arrays', 'wheat.parquet')
  const best = () => mergeStores(to, [from], { cacheFolder: cacheFolder(), jobId: 'job', onConflict: 'keep_best' })
  await writeFile(file, 'damaged')
  await expect(best()).rejects.toMatchObject({ code: 'arrays_corrupt' })
  await rm(file)
  expect((await best()).sources).toMatchObject([{ predictions_merged: 1 }])
  expect(await queryStore(to, 'SELECT prediction_id FROM predictions')).toEqual([{ prediction_id: 's' }])
  expect((await valuesOf(to)).map(([id]) => id)).toEqual(['s'])
})
