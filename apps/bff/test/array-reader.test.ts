import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { PredictionPage } from '@nirs-workspace/types'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copySample, hasSamples, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const anId = async (query: string) =>
  ((await app.get(`/predictions?limit=1&has_arrays=true${query}`)) as PredictionPage).rows[0]?.prediction_id ?? ''

test('when the process that reads arrays dies, the next read starts another', async () => {
  app = await openTestApp(await copyDemo())
  const path = `/predictions/${await anId('')}/arrays`
  const first = await app.get(path)
  const { pid } = app.services.arrays
  if (pid === undefined) throw new Error('There is no reader.')
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(app.services.arrays.pid).not.toBe(pid), 120_000)
  expect(await app.get(path)).toEqual(first)
})

test('the reader is at hand before the first click, and a store is not opened for that', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  app = await openTestApp(path, { readAhead: true })
  await app.get('/overview')
  await vi.waitFor(() => expect(app.services.arrays.pid).toBeDefined(), 120_000)
  const writer = await startWriter(join(path, 'store.duckdb'))
  await writer.release()
  expect(treeHash(path)).toBe(before)
  expect(app.logged).toEqual([])
})

test.runIf(hasSamples)('P2: a damaged file is an error that says so, and other files stay readable', async () => {
  const workspace = await copySample('hybrid-0.8.1')
  app = await openTestApp(workspace)
  const [damaged, sound] = [await anId('&dataset_name=grain_protein'), await anId('&dataset_name=oil_moisture')]
  expect(await readdir(join(workspace, 'arrays'))).toContain('grain_protein.parquet')
  await truncate(join(workspace, 'arrays', 'grain_protein.parquet'), 5000)
  const refused = await app.request(`/predictions/${damaged}/scatter`)
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'arrays_corrupt'])
  expect((await app.request('/aggregated-predictions/export/grain_protein.parquet')).status).toBe(409)
  expect((await app.request(`/predictions/${sound}/scatter`)).status).toBe(200)
})
