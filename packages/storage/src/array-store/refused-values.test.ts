import { existsSync } from 'node:fs'
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportPredictionsParquet } from '../bundles/export-predictions.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import type { ArrayRecord } from './array-record.ts'
import { ArrayStore } from './array-store.ts'

const record = (id: string, dataset_name = 'wheat'): ArrayRecord => ({ prediction_id: id, dataset_name, y_true: [1, 2], y_pred: [1, 2] })
/** What JavaScript lets a caller give although the types do not. */
const withField = (name: string, value: unknown): ArrayRecord => {
  const odd: ArrayRecord = record('odd')
  Reflect.set(odd, name, value)
  return odd
}

test.each([
  ['y_true', {}],
  ['y_pred', true],
  ['y_proba', Buffer.from('abc')],
  ['sample_indices', new Float32Array(2)],
  ['weights', { values: [1], nulls: null }],
  ['extra', { flag: true }],
  ['extra', { odd: {} }],
])('%s that is no list of numbers is refused before anything is written', async (name, value) => {
  await using folder = await temporaryFolder()
  const store = ArrayStore.open(folder.path)
  const batch = store.saveBatch([record('a'), withField(name, value)])
  await expect(batch).rejects.toMatchObject({ code: 'validation', message: expect.stringContaining('"odd" cannot be saved') })
  const writer = store.openWriter()
  await expect(writer.add(withField(name, value)).then(() => writer.close())).rejects.toMatchObject({ code: 'validation' })
  expect(await store.listDatasets()).toEqual([])
})

test('a stopped writer leaves the workspace as it was, whether it is told before or after a row came', async () => {
  await using folder = await temporaryFolder()
  const store = ArrayStore.open(folder.path)
  const stop = new AbortController()
  const writer = store.openWriter({ signal: stop.signal })
  await writer.add(record('a'))
  stop.abort()
  await expect(writer.add(record('b'))).rejects.toThrow('aborted')
  await expect(writer.close()).rejects.toThrow('aborted')
  expect(await store.listDatasets()).toEqual([])
  expect((await readdir(folder.path, { recursive: true })).filter((name) => /part|lock$/.test(name))).toEqual([])
})

test('a file that cannot be read does not hide that rows of others have gone', async () => {
  await using folder = await temporaryFolder()
  const store = ArrayStore.open(folder.path)
  await store.saveBatch([record('b', 'barley'), record('w'), record('o', 'oat')])
  await truncate(join(folder.path, 'arrays', 'oat.parquet'), 40)
  const told = {
    code: 'arrays_corrupt',
    message: expect.stringMatching(/oat\.parquet .* It is as it was; 1 row of other files have gone\.$/),
  }
  await expect(store.dropArrays(new Set(['w']))).rejects.toMatchObject(told)
  expect(existsSync(join(folder.path, 'arrays', 'wheat.parquet'))).toBe(false)
  await expect(store.dropArrays(new Set(['nobody']))).rejects.toMatchObject({ message: expect.stringMatching(/Nothing was changed\.$/) })
  await expect(Reflect.apply(store.deleteBatch, store, [new Set([1])])).rejects.toMatchObject({ code: 'validation' })
})

test('a path where no workspace can be is told in our words', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'notes.txt')
  await writeFile(file, 'hello')
  const saved = (path: string) => ArrayStore.open(path, { create: true }).saveBatch([record('a')])
  await expect(saved(file)).rejects.toMatchObject({ code: 'workspace_not_found' })
  await expect(saved(join(file, 'below'))).rejects.toMatchObject({ code: 'write_failed', fields: { hint: 'Choose another path.' } })
  await expect(WorkspaceStore.open(file, { create: true })).rejects.toMatchObject({ code: 'not_a_workspace' })
  await expect(WorkspaceStore.open(join(file, 'below'), { create: true })).rejects.toMatchObject({ code: 'workspace_not_found' })
  await expect(Reflect.apply(WorkspaceStore.open, WorkspaceStore, [undefined])).rejects.toMatchObject({ code: 'validation' })
})

test('a target that no file can have is refused, and nothing is left of it', async () => {
  await using folder = await temporaryFolder()
  const workspace = join(folder.path, 'workspace')
  await mkdir(join(folder.path, 'out', 'folder'), { recursive: true })
  await mkdir(workspace)
  await makeStore(join(workspace, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  const resolved = await resolveWorkspace(workspace)
  const catalog = await openCatalog(await buildCatalog(resolved, { cacheFolder: join(folder.path, 'cache') }))
  const to = (target: string) => exportPredictionsParquet({ catalog, resolved }, { target })
  await expect(to('')).rejects.toMatchObject({ code: 'validation' })
  await expect(to('a\0b')).rejects.toMatchObject({ code: 'validation' })
  for (const name of ['folder', 'x'.repeat(300)]) {
    await expect(to(join(folder.path, 'out', name))).rejects.toMatchObject({
      code: 'write_failed',
      fields: { hint: 'Choose another name or folder.' },
    })
  }
  expect(await readdir(join(folder.path, 'out'))).toEqual(['folder'])
  catalog.close()
})
