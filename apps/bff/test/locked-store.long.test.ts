import { join } from 'node:path'
import type { Inspection, MigrateStatus, Problem, WorkspaceStats } from '@nirs-workspace/types'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { startWriter } from '../src/testing/start-writer.ts'
import { openTestApp, type TestApp } from '../src/testing/test-app.ts'
import { copyDemo, copySample, hasSamples, removeCopies } from '../src/testing/workspace-copies.ts'

let app: TestApp
afterEach(() => app.close())
afterAll(removeCopies)

const inspect = async () => (await app.get('/workspace/inspect')) as Inspection
const stats = async () => (await app.get('/workspace/stats')) as WorkspaceStats
const migrateStatus = async () => (await app.get('/workspace/migrate/status')) as MigrateStatus

const openSettled = async (path: string): Promise<void> => {
  app = await openTestApp(path)
  await app.services.workspaces.get(undefined).settle(60_000)
}

test('L1: while another process holds the store, what was last known is told, as of when, and who holds it', async () => {
  const path = await copyDemo()
  await openSettled(path)
  const [inspected, counted, planned] = [await inspect(), await stats(), await migrateStatus()]
  expect([inspected.locked_by, counted.locked_by, planned.locked_by]).toEqual([null, null, null])
  const writer = await startWriter(join(path, 'store.duckdb'))
  await writer.run("UPDATE store.runs SET name = 'renamed meanwhile'")
  const locked_by = expect.objectContaining({ pid: writer.pid })
  const { counts, datasets, as_of } = inspected
  expect(await inspect()).toMatchObject({ storage_mode: 'legacy', migration_needed: true, counts, datasets, as_of, locked_by })
  const meanwhile = await stats()
  expect(meanwhile).toMatchObject({ tables: counted.tables, datasets: counted.datasets, as_of: counted.as_of, locked_by })
  expect(meanwhile.total_bytes).toBeGreaterThan(counted.total_bytes)
  const { storage_mode, migration_needed, legacy_row_count } = planned
  expect(await migrateStatus()).toMatchObject({ storage_mode, migration_needed, legacy_row_count, locked_by })
  const dryRun = await app.post('/workspace/migrate', { dry_run: true })
  expect([dryRun.status, await dryRun.json()]).toEqual([423, expect.objectContaining({ code: 'store_locked', locked_by })])
  await writer.release()
  await vi.waitFor(async () => {
    expect(await inspect()).toMatchObject({ locked_by: null })
    expect((await stats()).as_of ?? '').not.toBe(as_of)
    expect(await migrateStatus()).toMatchObject({ locked_by: null, estimated_duration_seconds: expect.any(Number) })
  }, 120_000)
})

test('L1: who holds a store without having changed it yet is named', async () => {
  const path = await copyDemo()
  await openSettled(path)
  const { legacy_row_count } = await migrateStatus()
  const writer = await startWriter(join(path, 'store.duckdb'))
  app.services.facts.forget(app.services.workspaces.get(undefined))
  expect(await migrateStatus()).toMatchObject({ migration_needed: true, legacy_row_count, locked_by: { pid: writer.pid } })
  // What a catalog answers opens no store: only Linux lists the holder then.
  const locked_by = process.platform === 'linux' ? { pid: writer.pid } : null
  expect(await stats()).toMatchObject({ locked_by, tables: { prediction_arrays: legacy_row_count } })
  await writer.release()
})

test('L1: a store that has never been seen before somebody held it is refused, naming the holder', async () => {
  const path = await copyDemo()
  const writer = await startWriter(join(path, 'store.duckdb'))
  app = await openTestApp(path)
  for (const route of ['inspect', 'stats', 'storage-status', 'migrate/status']) {
    const response = await app.request(`/workspace/${route}`)
    const problem = (await response.json()) as Problem
    expect([route, response.status, problem.locked_by?.pid]).toEqual([route, 423, writer.pid])
  }
  const lists = ['/predictions', '/predictions/facets', '/predictions/histogram?column=val_score', '/predictions/top', '/overview', '/runs']
  const single = ['/predictions/x', '/predictions/x/scatter', '/runs/x', '/aggregated-predictions/export/x.parquet']
  const asked = [...[...lists, ...single].map((route) => app.request(route)), app.post('/aggregated-predictions/export/count', {})]
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([423]))
  await writer.release()
})

test.runIf(hasSamples)('L1: the same of a workspace in mid-migration', async () => {
  const path = await copySample('mid-migration')
  await openSettled(path)
  const { counts } = await inspect()
  const writer = await startWriter(join(path, 'store.duckdb'))
  await writer.run("UPDATE store.runs SET name = 'renamed meanwhile'")
  expect(await inspect()).toMatchObject({ storage_mode: 'mid_migration', counts, locked_by: { pid: writer.pid } })
  await writer.release()
})
