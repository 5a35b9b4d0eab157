import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdStore } from '../testing/hold-store.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { detectStorage } from '../workspace/detect-storage.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { migrateStatus } from './migrate-status.ts'

test('the status of a store that another process holds is refused, or what was last known, never that the workspace is new', async () => {
  await using folder = await temporaryFolder()
  const root = join(folder.path, 'workspace')
  const store = join(root, 'store.duckdb')
  const last = { cacheFolder: join(folder.path, 'cache'), lastWhenLocked: true }
  await mkdir(root)
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  {
    await using writer = await holdStore(store)
    expect(writer).not.toBeNull()
    for (const options of [{}, last]) await expect(migrateStatus(root, options)).rejects.toMatchObject({ code: 'store_locked' })
  }
  const { estimated_duration_seconds, bytes_estimated, ...known } = await migrateStatus(root)
  expect(known).toMatchObject({ storage_mode: 'legacy', migration_needed: true, legacy_row_count: 2, locked_by: null })
  expect([estimated_duration_seconds, bytes_estimated]).toEqual([expect.any(Number), expect.any(Number)])
  await inspectWorkspace(root, last)
  await using writer = await holdStore(store)
  expect(writer).not.toBeNull()
  const unknown = {
    estimated_duration_seconds: null,
    bytes_estimated: null,
    locked_by: expect.objectContaining({ pid: expect.any(Number) }),
  }
  expect(await migrateStatus(root, last)).toEqual({ ...known, ...unknown })
})

test.each([
  ['predictions without arrays anywhere', '0.8.1', [{ id: 'a' }], false],
  ['an old store with nothing in it', '0.7.1', [], false],
  ['an old store with nothing in it beside array files', '0.7.1', [], true],
  ['a new store with nothing in it beside array files', '0.8.1', [], true],
] as const)('the status of a migration and that of the storage name one state: %s', async (_, release, predictions, hasFile) => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release, predictions })
  if (hasFile) {
    await mkdir(join(folder.path, 'arrays'))
    await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'x' }])
  }
  const { storage_mode, migration_needed } = await detectStorage(await resolveWorkspace(folder.path))
  expect(await migrateStatus(folder.path)).toMatchObject({ storage_mode, migration_needed })
})
