import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hashTree } from '../testing/hash-tree.ts'
import { makeParquet, temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

const predictions = [
  { id: 'a', y: [1] },
  { id: 'b', fold: '1', y: [2], score: Number.NaN },
  { id: 'c', fold: 'final', refit: 'standalone', y: [3], score: 0 },
]

test('a copy of an array file of the target is there already, and changes nothing', async () => {
  await using folder = await temporaryFolder()
  const target = await makeHybrid(join(folder.path, 'target'), { predictions })
  const lone = join(folder.path, 'lone.parquet')
  await copyFile(join(target, 'arrays', 'wheat.parquet'), lone)
  const state = async () => [await hashTree(join(target, 'arrays')), await readFile(join(target, 'store.duckdb'), 'base64')]
  const before = await state()
  for (const onConflict of ['skip', 'keep_all', 'keep_best'] as const) {
    const report = await mergeStores(target, [lone], { cacheFolder: join(folder.path, 'cache'), jobId: 'job', onConflict })
    expect(report).toMatchObject({ sources: [{ already_there: 3, predictions_merged: 0, skipped: 0 }], record_path: null })
  }
  expect(await state()).toEqual(before)
})

test('what a file tells otherwise is another prediction, and other arrays are a conflict', async () => {
  await using folder = await temporaryFolder()
  const target = await makeHybrid(join(folder.path, 'target'), { predictions })
  const lone = join(folder.path, 'lone.parquet')
  await makeParquet(lone, [
    { id: 'a', y: [9] },
    { id: 'b', fold: '1', y: [2], score: 0.5 },
  ])
  const options = { cacheFolder: join(folder.path, 'cache'), onConflict: 'skip' } as const
  const { sources } = await mergeStores(target, [lone], { ...options, jobId: 'job' })
  expect(sources).toMatchObject([{ already_there: 0, predictions_merged: 1, skipped: 1 }])
  const again = await mergeStores(target, [lone], { ...options, jobId: 'again' })
  expect(again.sources).toMatchObject([{ predictions_merged: 0, skipped: 1 }])
})
