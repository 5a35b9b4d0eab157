import { join } from 'node:path'
import type { PredictionPage, StorageStatus, WorkspaceList } from '@nirs-workspace/types'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { treeHash } from '../src/testing/tree-hash.ts'
import { copyDemo, copySample, hasSamples, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp | undefined
afterEach(async () => {
  await app?.close()
  app = undefined
})
afterAll(removeCopies)

const total = async (opened: TestApp) => ((await opened.get('/predictions?limit=1')) as PredictionPage).total

/** Everything a person looks at. */
const browse = async (opened: TestApp) => {
  const page = (await opened.get('/predictions?limit=5&sort=val_score:asc')) as PredictionPage
  const id = page.rows[0]?.prediction_id ?? 'none'
  for (const path of [
    '/workspaces',
    '/workspace/storage-status',
    '/workspace/stats',
    '/workspace/inspect',
    '/workspace/migrate/status',
    '/overview',
    '/runs',
  ]) {
    expect([path, (await opened.request(path)).status]).toEqual([path, 200])
  }
  for (const path of [
    '/predictions/facets',
    '/predictions/histogram?column=val_score',
    `/predictions/${id}`,
    `/predictions/${id}/arrays`,
    `/predictions/${id}/scatter`,
  ]) {
    await opened.request(path)
  }
  await opened.post('/predictions/arrays', { ids: page.rows.map((row) => row.prediction_id) }).then((response) => response.arrayBuffer())
  for (const row of page.rows.slice(0, 1)) {
    await opened
      .request(`/aggregated-predictions/export/${encodeURIComponent(row.dataset_name)}.parquet`)
      .then((response) => response.arrayBuffer())
  }
  const archive = await opened.post('/aggregated-predictions/export', { format: 'zip' })
  await archive.arrayBuffer()
}

const samples = ['legacy-0.7.1', 'hybrid-0.8.1', 'mid-migration', 'crashed-wal', 'damaged-lost-arrays', 'sqlite-0.11', 'empty-new']

test('browsing and exporting leave every byte, name and time of the workspace as it was', async () => {
  const path = await copyDemo()
  const before = treeHash(path)
  app = await openTestApp(path)
  await browse(app)
  expect(treeHash(path)).toBe(before)
})

test.runIf(hasSamples).each(samples)('browsing and exporting leave %s as it was', async (name) => {
  const path = await copySample(name)
  const before = treeHash(path)
  app = await openTestApp(path)
  await browse(app)
  expect(treeHash(path)).toBe(before)
})

test('no lock is held while idle, a writer is named while it works, and its changes are followed', async () => {
  const path = await copyDemo()
  app = await openTestApp(path)
  const before = await total(app)
  await browse(app)
  const writer = await startWriter(join(path, 'store.duckdb'))
  await writer.run("UPDATE store.runs SET name = 'renamed while we look'")
  const opened = app
  const listed = async () => ((await opened.get('/workspaces')) as WorkspaceList).rows[0]
  await vi.waitFor(async () => {
    await total(opened)
    expect(await listed()).toMatchObject({ writer: { pid: writer.pid }, catalog: { state: 'stale' } })
  }, 120_000)
  expect(await total(app)).toBe(before)
  expect((await app.get('/workspace/storage-status')) as StorageStatus).toMatchObject({
    storage_mode: 'legacy',
    locked_by: { pid: writer.pid },
  })
  await writer.release()
  await vi.waitFor(async () => {
    await total(opened)
    expect(await listed()).toMatchObject({ writer: null, catalog: { state: 'ready' } })
  }, 120_000)
  const runs = (await app.get('/runs?q=renamed')) as { total: number }
  expect(runs.total).toBeGreaterThan(0)
})
