import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StorageMode } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { findCatalog } from '../catalog/find-catalog.ts'
import { isStorageError } from '../errors.ts'
import { type MadePrediction, makeParquet, makeStore, type StoreToMake, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces, type SharedWorkspaceName } from '../testing/shared-workspaces.ts'
import { detectStorage } from './detect-storage.ts'
import { lastKnownStatus } from './last-known-status.ts'
import { resolveWorkspace } from './resolve-workspace.ts'

const some: MadePrediction[] = [{ id: 'a' }, { id: 'b', fold: '1' }]

const statusOf = async (folder: string) => detectStorage(await resolveWorkspace(folder))

const madeStatus = async (store: StoreToMake, arrays?: readonly string[]) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), store)
  if (arrays !== undefined) await mkdir(join(folder.path, 'arrays'))
  for (const name of arrays ?? []) {
    if (name.endsWith('.parquet')) await makeParquet(join(folder.path, 'arrays', name), some)
    else await mkdir(join(folder.path, 'arrays', name))
  }
  return await statusOf(folder.path)
}

test('test_storage_status_legacy: arrays in the table and no arrays/ folder', async () => {
  expect(await madeStatus({ release: '0.7.1', predictions: some })).toEqual({
    storage_mode: 'legacy',
    has_prediction_arrays_table: true,
    has_arrays_directory: false,
    migration_needed: true,
    rescue_needed: false,
    read_only: false,
    written_by: '0.7.1',
    locked_by: null,
    wal_bytes: 0,
    interrupted_job: null,
    backups: [],
  })
  expect(await madeStatus({ release: '0.7.0', predictions: some })).toMatchObject({ storage_mode: 'legacy', written_by: '0.7.0' })
})

test('test_storage_status_migrated: no table and an arrays/ folder', async () => {
  const status = await madeStatus({ release: '0.8.1', predictions: some }, ['wheat.parquet'])
  expect(status).toMatchObject({ storage_mode: 'migrated', migration_needed: false, has_arrays_directory: true, written_by: '0.8.0-0.8.3' })
})

test('a table and an arrays/ folder are mid-migration; the staging folder of an interrupted job alone does not count', async () => {
  const legacy: StoreToMake = { release: '0.7.1', predictions: some }
  expect(await madeStatus(legacy, ['wheat.parquet'])).toMatchObject({ storage_mode: 'mid_migration', migration_needed: true })
  expect(await madeStatus(legacy, ['.staging-job-1'])).toMatchObject({ storage_mode: 'legacy', has_arrays_directory: false })
  expect(await madeStatus(legacy, ['.staging-job-1', 'wheat.parquet'])).toMatchObject({ storage_mode: 'mid_migration' })
})

test('a store without predictions is new, with the table and without', async () => {
  expect(await madeStatus({ release: '0.8.1' })).toMatchObject({ storage_mode: 'new', migration_needed: false })
  expect(await madeStatus({ release: '0.7.1' })).toMatchObject({ storage_mode: 'new', has_prediction_arrays_table: true })
  expect(await madeStatus({ release: '0.8.1' }, [])).toMatchObject({ storage_mode: 'new', has_arrays_directory: true })
})

test('kept originals are listed with the time in their name', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.8.1' })
  const path = join(folder.path, 'store.duckdb.20260219T101112Z.bak')
  await writeFile(path, 'original')
  expect((await statusOf(folder.path)).backups).toEqual([{ path, bytes: 8, created_at: '2026-02-19T10:11:12.000Z' }])
})

describe.runIf(hasSharedWorkspaces())('workspaces written by nirs4all', () => {
  const cases: [SharedWorkspaceName, StorageMode, string][] = [
    ['legacy-0.7.0', 'legacy', '0.7.0'],
    ['legacy-0.7.1', 'legacy', '0.7.1'],
    ['crashed-wal', 'legacy', '0.7.1'],
    ['mid-migration', 'mid_migration', '0.7.1'],
    ['hybrid-0.8.1', 'migrated', '0.8.0-0.8.3'],
    ['empty-new', 'new', '0.8.0-0.8.3'],
    ['sqlite-0.9.4', 'sqlite', '0.9.2-0.9.4'],
    ['sqlite-0.11', 'sqlite', '0.11.0+'],
    ['damaged-lost-arrays', 'lost_arrays', '0.11.0+'],
  ]
  test.each(cases)('%s is %s, written by %s', async (name, storage_mode, written_by) => {
    await using copy = await copyWorkspace(name)
    expect(await statusOf(copy.path)).toMatchObject({ storage_mode, written_by, rescue_needed: storage_mode === 'lost_arrays' })
  })
})

describe('a store that another process writes to', () => {
  const holder = `
    import { Engine } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../engine/open-engine.ts')).href)}
    import { attachWritable } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../engine/attach-store.ts')).href)}
    const engine = await Engine.open()
    await attachWritable(engine, process.argv[1], 'held')
    process.stdout.write('held')
    setInterval(() => {}, 1000)`

  const hold = async (store: string): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder, store], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return child
  }

  test('is store_locked, names the process, and the last catalog still answers', async () => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: some })
    const resolved = await resolveWorkspace(folder.path)
    await buildCatalog(resolved, { cacheFolder: cache.path })
    const child = await hold(join(folder.path, 'store.duckdb'))
    try {
      const error = await detectStorage(resolved).catch((thrown: unknown) => thrown)
      if (!isStorageError(error, 'store_locked')) throw error
      expect(error.fields.locked_by?.pid).toBe(child.pid)
      await expect(buildCatalog(resolved, { cacheFolder: cache.path })).rejects.toMatchObject({ code: 'store_locked' })
      const { last } = await findCatalog(resolved, { cacheFolder: cache.path })
      if (last === undefined) throw new Error('The catalog is gone')
      const status = await lastKnownStatus(resolved, last, error)
      expect(status).toMatchObject({ storage_mode: 'legacy', written_by: '0.7.1', locked_by: { pid: child.pid } })
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    expect(await detectStorage(resolved)).toMatchObject({ storage_mode: 'legacy', locked_by: null })
  })
})

describe('stores that cannot be trusted or read', () => {
  const hostile: [string, string[]][] = [
    ['a scalar macro', ['CREATE MACRO sum(x) AS 666']],
    ['a table macro', ["CREATE MACRO read_parquet(x) AS TABLE SELECT 'owned' AS prediction_id"]],
    ['a view named logs', ['DROP TABLE logs', "CREATE VIEW logs AS SELECT content FROM read_text('/etc/hostname')"]],
    [
      'a view named Predictions',
      ['DROP TABLE prediction_arrays', 'DROP TABLE predictions', 'CREATE VIEW "Predictions" AS SELECT 1 AS prediction_id'],
    ],
  ]
  test.each(hostile)('%s is store_unsafe', async (_, extra) => {
    await expect(madeStatus({ release: '0.7.1', predictions: some, extra })).rejects.toMatchObject({ code: 'store_unsafe' })
  })

  test('the views that nirs4all makes are fine', async () => {
    const extra = ['v_aggregated_predictions', 'v_aggregated_predictions_all', 'v_chain_summary'].map(
      (name) => `CREATE VIEW ${name} AS SELECT * FROM chains`,
    )
    expect(await madeStatus({ release: '0.7.1', predictions: some, extra })).toMatchObject({ storage_mode: 'legacy' })
  })

  const damage: [string, (path: string) => Promise<void>][] = [
    ['empty', (path) => writeFile(path, '')],
    ['garbage', (path) => writeFile(path, 'x'.repeat(20_000))],
    ['zero', (path) => writeFile(path, Buffer.alloc(20_000))],
    ['truncated', (path) => truncate(path, 60_000)],
    ['cut to its header', (path) => truncate(path, 4_096)],
  ]
  test.each(damage)('a store.duckdb that is %s is store_unreadable', async (_, spoil) => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const store = join(folder.path, 'store.duckdb')
    await makeStore(store, { release: '0.7.1', predictions: some })
    await spoil(store)
    const resolved = await resolveWorkspace(folder.path)
    await expect(buildCatalog(resolved, { cacheFolder: cache.path })).rejects.toMatchObject({ code: 'store_unreadable' })
  })

  test('a store.sqlite that is none is store_unreadable', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'store.sqlite'), 'x'.repeat(20_000))
    await expect(statusOf(folder.path)).rejects.toMatchObject({ code: 'store_unreadable' })
  })
})
