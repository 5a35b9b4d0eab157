import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { setFaultHook } from '../files/fault-point.ts'
import { snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { storeTables } from '../migration/store-schema.ts'
import { beginLineage, predictionOf } from '../store/testing/store-fixture.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { faultHook } from '../testing/fault-hooks.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { changeInLog, changeStore, tamperBefore } from '../testing/tamper.ts'
import { vacuumWorkspace } from './vacuum-store.ts'

afterEach(() => setFaultHook(undefined))

/** A store much of which nothing uses any more. */
const hollowStore = async (path: string): Promise<void> => {
  await using store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store)
  for (let fold = 0; fold < 4000; fold++) {
    const best_params = { note: `${fold} `.repeat(100) }
    store.bufferPrediction(predictionOf(lineage, { fold_id: String(fold), prediction_id: `p${fold}`, best_params }))
  }
  await store.flush()
  await store.deletePredictions(Array.from({ length: 3900 }, (_, fold) => `p${fold}`))
}

const rowsOf = async (path: string) => {
  await using store = await WorkspaceStore.open(path)
  return JSON.stringify([await store.queryPredictions({}, { limit: 10_000 }), await store.listRuns()])
}

test('test_workspace_store_vacuum: the file shrinks, every row stays; stopped before every operation it is the old store or the new one', {
  timeout: 600_000,
}, async () => {
  await using scratch = await temporaryFolder()
  const original = join(scratch.path, 'original')
  await hollowStore(original)
  const rows = await rowsOf(original)
  const copyOf = async () => {
    const root = join(scratch.path, 'copy')
    await rm(root, { recursive: true, force: true })
    await cp(original, root, { recursive: true, preserveTimestamps: true })
    return root
  }
  const done = await copyOf()
  await chmod(join(done, 'store.duckdb'), 0o600)
  const operations = await expectFlushed(done, 'a vacuum', async () => {
    const report = await vacuumWorkspace(done)
    expect(report.replaced).toBe(true)
    expect(report.bytes_after).toBeLessThan(report.bytes_before)
    expect(await stat(join(done, 'store.duckdb'))).toMatchObject({ size: report.bytes_after, mode: 0o100600 })
  })
  expect(await rowsOf(done)).toBe(rows)
  const total = operations.length
  for (let n = 1; n <= total; n++) {
    for (const mode of ['stop', 'ENOSPC'] as const) {
      // Behind a flush a stop leaves what it left before; `npm run test:faults` fills the disk before every operation.
      if (mode === 'stop' ? operations[n - 2]?.kind.startsWith('fsync') === true : n % 3 !== 0) continue
      const root = await copyOf()
      setFaultHook(faultHook(mode, n).hook)
      const error = await vacuumWorkspace(root).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      setFaultHook(undefined)
      const left = await readInterruption(root)
      await forgetLock(root)
      const about = `${mode} before ${n} of ${total} (${operations[n - 1]?.kind})`
      if (error !== null) expect(error, about).toMatchObject({ name: 'StorageError', code: 'write_failed' })
      if (mode === 'ENOSPC') expect(left, about).toBeNull()
      expect(await rowsOf(root), about).toBe(rows)
      expect((await readdir(root)).toSorted(), about).toEqual((await readdir(original)).toSorted())
    }
  }
})

test('test_workspace_store_vacuum_legacy: a store with an arrays table is left to the migration', async () => {
  await using scratch = await temporaryFolder()
  await makeStore(join(scratch.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  await expect(vacuumWorkspace(scratch.path)).rejects.toMatchObject({ code: 'not_migrated' })
  expect(await readdir(scratch.path)).toEqual(['store.duckdb'])
})

test('changes that are still in the log come along', async () => {
  await using scratch = await temporaryFolder()
  await makeStore(join(scratch.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
  const store = join(scratch.path, 'store.duckdb')
  await changeInLog(store, 'UPDATE predictions SET val_score = 7')
  expect(await readdir(scratch.path)).toContain('store.duckdb.wal')
  const { chains } = (await snapshot(scratch.path)).tables
  await expectFlushed(scratch.path, 'a vacuum', () => vacuumWorkspace(scratch.path))
  const { tables } = await snapshot(scratch.path)
  // The summaries of chains too, which a migration would work out anew.
  expect(tables.chains).toEqual(chains)
  const [row] = tables.predictions ?? []
  expect(JSON.parse(row ?? '')).toMatchObject({ prediction_id: 'a', val_score: '7.0' })
  expect(await readdir(scratch.path)).toEqual(['store.duckdb'])
  // A second time there is nothing to gain, and the file stays the one it is.
  const { ino } = await stat(store)
  await expectFlushed(scratch.path, 'a vacuum for nothing', async () => {
    expect(await vacuumWorkspace(scratch.path)).toMatchObject({ replaced: false })
  })
  expect(await readdir(scratch.path)).toEqual(['store.duckdb'])
  expect((await stat(store)).ino).toBe(ino)
})

test('a store with something that cannot be made again is left as it is', async () => {
  await using scratch = await temporaryFolder()
  const extra = [
    'CREATE TABLE gone(a INTEGER)',
    'CREATE VIEW of_gone AS SELECT a FROM gone',
    'DROP TABLE gone',
    'DROP TABLE logs',
    `CREATE TABLE logs (${storeTables.logs.replace('message VARCHAR', 'message VARCHAR NOT NULL, twice INTEGER AS (step_idx * 2)')})`,
    'CREATE UNIQUE INDEX idx_logs_pipeline_id ON logs(pipeline_id)',
    "CREATE TYPE mood AS ENUM ('good')",
  ]
  await makeStore(join(scratch.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }], extra })
  const before = await readFile(join(scratch.path, 'store.duckdb'))
  await expect(vacuumWorkspace(scratch.path)).rejects.toMatchObject({
    code: 'store_unsafe',
    message: expect.stringContaining(
      'the default of logs.twice, the index idx_logs_pipeline_id, the view of_gone, the rule NOT NULL of logs.message, the type main.mood',
    ),
  })
  expect((await readFile(join(scratch.path, 'store.duckdb'))).equals(before)).toBe(true)
})

test('a store that another program replaces meanwhile is left to it', async () => {
  await using scratch = await temporaryFolder()
  const root = join(scratch.path, 'workspace')
  await hollowStore(root)
  const [store, other] = [join(root, 'store.duckdb'), join(scratch.path, 'other')]
  await copyFile(store, other)
  await changeStore(other, "UPDATE runs SET error = 'newer'")
  const newer = await readFile(other)
  tamperBefore(
    ({ kind, path }) => kind === 'fsync' && path.endsWith('.new'),
    () => rename(other, store),
  )
  await expect(vacuumWorkspace(root)).rejects.toMatchObject({ code: 'plan_stale' })
  setFaultHook(undefined)
  expect((await readFile(store)).equals(newer)).toBe(true)
  expect(await readInterruption(root)).toBeNull()
})

test('a store to which another program adds a log meanwhile is left to it', async () => {
  await using scratch = await temporaryFolder()
  const root = join(scratch.path, 'workspace')
  await hollowStore(root)
  tamperBefore(
    ({ kind, path }) => kind === 'rename' && path.endsWith('journal.json'),
    () => changeInLog(join(root, 'store.duckdb'), "UPDATE runs SET error = 'newer'"),
  )
  await expect(vacuumWorkspace(root)).rejects.toMatchObject({ code: 'plan_stale' })
  setFaultHook(undefined)
  expect((await readdir(root)).filter((name) => name.startsWith('store'))).toEqual(['store.duckdb', 'store.duckdb.wal'])
  expect(await rowsOf(root)).toContain('newer')
})

test('a store that only its owner may read is so while it is written anew', async () => {
  await using scratch = await temporaryFolder()
  await makeStore(join(scratch.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a' }] })
  await chmod(join(scratch.path, 'store.duckdb'), 0o600)
  const modes: number[] = []
  setFaultHook(async ({ kind, path }) => {
    if (kind === 'engine-write' && path.endsWith('.new') && existsSync(path)) modes.push((await stat(path)).mode & 0o777)
  })
  await vacuumWorkspace(scratch.path)
  expect(modes).toEqual([0o600])
})

test('nothing of a store is in a log beside the new one: DuckDB would let everybody read that', async () => {
  await using scratch = await temporaryFolder()
  await makeStore(join(scratch.path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'confidential' }] })
  const logs = new Set<string>()
  let isAtWork = true
  const look = async (): Promise<void> => {
    while (isAtWork)
      for (const name of await readdir(scratch.path))
        if (name.endsWith('.wal')) logs.add(await readFile(join(scratch.path, name), 'latin1').catch(() => ''))
  }
  const looking = look()
  await vacuumWorkspace(scratch.path)
  isAtWork = false
  await looking
  expect([...logs].filter((log) => /confidential|CREATE/i.test(log))).toEqual([])
})
