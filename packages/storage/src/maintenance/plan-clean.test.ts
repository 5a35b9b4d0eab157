import { appendFile, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { makePlan } from './make-plan.ts'
import { ageArrays, makeWorkspace, saveArrays } from './testing/maintenance-fixture.ts'

test('test_clean_dead_links: arrays of nobody that another dataset has too stay while that one is not meant or young', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'whole' }] })
  await saveArrays(folder.path, [{ id: 'alone' }, { id: 'both' }, { id: 'both', dataset: 'rye' }])
  const planned = async (dataset_name?: string) => {
    const { items, report } = await makePlan(folder.path, { kind: 'clean_dead_links', dataset_name })
    return { ids: items.map(({ id }) => id), young: 'too_young' in report ? report.too_young : null }
  }
  expect(await planned('wheat')).toEqual({ ids: ['alone'], young: 0 })
  expect(await planned()).toEqual({ ids: ['alone', 'both'], young: 0 })
  const now = new Date()
  await utimes(join(folder.path, 'arrays', 'rye.parquet'), now, now)
  expect(await planned()).toEqual({ ids: ['alone'], young: 1 })
})

test('test_clean_dead_links: a dataset without a file of its name is left alone while any file cannot be read', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'w' }, { id: 'lost', fold: '1', y: null }, { id: 'c', dataset: 'corn' }, { id: 'o', dataset: 'oat', y: null }]
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const arrays = join(folder.path, 'arrays')
  await rename(join(arrays, 'corn.parquet'), join(arrays, 'oat.parquet'))
  await appendFile(join(arrays, 'oat.parquet'), 'rubbish')
  await ageArrays(folder.path)
  const { items, report } = await makePlan(folder.path, { kind: 'clean_dead_links' })
  expect(items.map(({ id }) => id)).toEqual(['lost'])
  const file = 'arrays/oat.parquet'
  expect(report).toMatchObject({
    refused: [
      { dataset_name: 'corn', file },
      { dataset_name: 'oat', file },
    ],
  })
})

test('test_clean_dead_links: arrays of nobody stay while a file cannot be read in which they may have rows too, which is said', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'whole' }, { id: 'c', dataset: 'corn' }] })
  await saveArrays(folder.path, [{ id: 'both' }, { id: 'both', dataset: 'corn' }])
  await appendFile(join(folder.path, 'arrays', 'corn.parquet'), 'rubbish')
  await ageArrays(folder.path)
  const { items, report, warnings } = await makePlan(folder.path, { kind: 'clean_dead_links', dataset_name: 'wheat' })
  expect(items).toEqual([])
  expect(report).toMatchObject({ array_orphans_removed: 0, refused: [] })
  expect(warnings).toEqual([expect.stringMatching(/belong to no prediction stay.*arrays\/corn\.parquet cannot be read/)])
})
