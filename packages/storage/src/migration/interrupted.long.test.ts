import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { attachReadOnly } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { upgradeStore } from '../sqlite/testing/convert-store.ts'
import { filesOf, forgetLock } from '../testing/fault-oracle.ts'
import { holdStore } from '../testing/hold-store.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { changeInLog, changeStore } from '../testing/tamper.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

afterEach(() => setFaultHook(undefined))

const setError = (text: string) => `UPDATE runs SET error = '${text}'`

const errorIn = (store: string) =>
  withEngine({}, async (engine) => {
    await attachReadOnly(engine, store, 's')
    return (await engine.one(z.object({ error: z.string() }), 'SELECT error FROM s.runs')).error
  })

const withoutControl = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('.nirs-workspace')))

test('what another program has written to the new store by the time of the recovery stays', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await changeInLog(store, setError('older'))
  const isEnd = ({ kind, path }: { kind: string; path: string }) => kind === 'unlink' && path.endsWith('journal.json')
  await stopFrom(isEnd, 0, () => runMigration(folder.path, { jobId: 'stopped' }))
  await forgetLock(folder.path)
  expect(existsSync(`${store}.wal`)).toBe(false)
  await changeInLog(store, setError('newer'))
  expect(existsSync(`${store}.wal`)).toBe(true)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  expect(await errorIn(store)).toBe('newer')
})

const isStoreSwap = ({ kind, from }: { kind: string; from?: string | undefined }) => kind === 'rename' && from?.endsWith('.new') === true
const isJournalGone = ({ kind, path }: { kind: string; path: string }) => kind === 'unlink' && path.endsWith('journal.json')

test('a migration whose store nirs4all has turned into a store.sqlite before the recovery is done', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  await stopFrom(isJournalGone, 0, () => runMigration(folder.path, { jobId: 'stopped' }))
  await forgetLock(folder.path)
  await upgradeStore(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  // The original under its time, and the store that nirs4all keeps.
  const names = (await readdir(folder.path)).filter((name) => name.startsWith('store.'))
  expect(names.sort()).toEqual([expect.stringMatching(/^store\.duckdb\..+\.bak$/), 'store.duckdb.bak', 'store.sqlite'])
  expect(await readdir(join(folder.path, 'arrays'))).toEqual(['wheat.parquet'])
})

test('an original that nirs4all has turned into a store.sqlite before its migration is undone keeps its new name, and the store its arrays', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await stopFrom(isStoreSwap, 0, () => runMigration(folder.path, { jobId: 'stopped' }))
  await forgetLock(folder.path)
  await rename(store, `${store}.bak`)
  await writeFile(join(folder.path, 'store.sqlite'), 'made of it')
  const converted = await filesOf(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'undone' })
  const names = ['arrays/', 'arrays/wheat.parquet', 'store.duckdb.bak', 'store.sqlite']
  expect(withoutControl(await filesOf(folder.path))).toEqual(Object.fromEntries(names.map((name) => [name, converted[name]])))
})

test('what array files from before held stays when the migration is undone after somebody has written to the original', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await mkdir(join(folder.path, 'arrays'))
  for (const [name, y] of [
    ['wheat', [9, 9, 9]],
    ['old', [8, 8, 8]],
  ] as const)
    await makeParquet(join(folder.path, 'arrays', `${name}.parquet`), [{ id: 'a', y }])
  const before = await filesOf(folder.path)
  await stopFrom(isStoreSwap, 0, () => runMigration(folder.path, { jobId: 'stopped' }))
  await forgetLock(folder.path)
  expect(existsSync(join(folder.path, 'arrays', 'old.parquet'))).toBe(false)
  await changeStore(store, setError('written meanwhile'))
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'undone' })
  const after = await filesOf(folder.path)
  expect(after['arrays/old.parquet']).toBe(before['arrays/old.parquet'])
  // The migration's own has its name, as somebody may count on it by now.
  expect(after['arrays/wheat.parquet']).not.toBe(before['arrays/wheat.parquet'])
  const kept = '.nirs-workspace/migrations/stopped'
  expect(after[`${kept}/replaced/wheat.parquet`]).toBe(before['arrays/wheat.parquet'])
  expect(Object.keys(after).filter((name) => name.startsWith(kept) && !name.endsWith('/'))).toEqual([
    `${kept}/quarantine.parquet`,
    `${kept}/replaced/wheat.parquet`,
  ])
  await expect(rollbackMigration(folder.path, { jobId: 'back' })).rejects.toMatchObject({ code: 'proof_not_found' })
})

test('where a file can have one name only, an undo gives the original and its log their names back', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await changeInLog(store, setError('in the log'))
  const before = await filesOf(folder.path)
  let isDead = false
  setFaultHook(({ kind, path, from }) => {
    if (kind === 'link' && path.includes('.bak')) throw Object.assign(new Error('EPERM: no links'), { code: 'EPERM' })
    isDead ||= kind === 'rename' && from?.endsWith('.new') === true
    if (isDead) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(runMigration(folder.path, { jobId: 'stopped' })).rejects.toThrow()
  setFaultHook(undefined)
  await forgetLock(folder.path)
  expect([existsSync(store), existsSync(`${store}.wal`)]).toEqual([false, false])
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'undone' })
  expect(await filesOf(folder.path)).toEqual(before)
})

test('array files that a rollback had put back before it was stopped are there when it is finished', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }]
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions })
  await mkdir(join(folder.path, 'arrays'))
  const file = join(folder.path, 'arrays', 'wheat.parquet')
  await makeParquet(file, predictions.slice(0, 1))
  const before = await filesOf(folder.path)
  await runMigration(folder.path, { jobId: 'one' })
  await stopFrom(
    ({ kind, path }) => kind === 'rename' && path === file,
    1,
    () => rollbackMigration(folder.path, { jobId: 'back' }),
  )
  await forgetLock(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  expect(withoutControl(await filesOf(folder.path))).toEqual(before)
})

test('a rollback that was stopped is finished only when no other program holds the store', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  const before = await filesOf(folder.path)
  await runMigration(folder.path, { jobId: 'one' })
  await stopFrom(
    ({ kind, path }) => kind === 'rename' && path === store,
    0,
    () => rollbackMigration(folder.path, { jobId: 'back' }),
  )
  await forgetLock(folder.path)
  const stopped = await filesOf(folder.path)
  {
    await using writer = await holdStore(store)
    expect(writer).not.toBeNull()
    expect(await recoverWorkspace(folder.path)).toEqual({ recovered: false, is_busy: true })
  }
  expect((await filesOf(folder.path))['store.duckdb']).toBe(stopped['store.duckdb'])
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  expect(withoutControl(await filesOf(folder.path))).toEqual(before)
})

test('stopped when the log of the original is back and the original is not, a rollback is finished; what is newer is kept', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await changeInLog(store, setError('older'))
  const before = await filesOf(folder.path)
  await runMigration(folder.path, { jobId: 'one' })
  await changeInLog(store, setError('newer'))
  await stopFrom(
    ({ kind, path }) => kind === 'rename' && path === store,
    0,
    () => rollbackMigration(folder.path, { jobId: 'back', force: true }),
  )
  await forgetLock(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  const after = await filesOf(folder.path)
  expect(withoutControl(after)).toEqual(before)
  const kept = Object.keys(after).filter((name) => /rolled-back-[^/]+\/store\.duckdb$/.test(name))
  expect(await Promise.all(kept.map((name) => errorIn(join(folder.path, name))))).toEqual(['newer'])
})

test('every store.sqlite that hides the original is kept, also those that come while a rollback is stopped', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  const before = await filesOf(folder.path)
  await runMigration(folder.path, { jobId: 'migrate' })
  const sqlite = join(folder.path, 'store.sqlite')
  const isSwap = ({ kind, path }: { kind: string; path: string }) => kind === 'rename' && path === store
  await writeFile(sqlite, 'first')
  let said: unknown
  const failing = () =>
    rollbackMigration(folder.path, { jobId: 'back', force: true }).catch((error: unknown) => {
      said = error
      throw error
    })
  await stopFrom(isSwap, 0, failing)
  const message =
    'Writing failed (EIO). If it had begun, it is finished when the workspace is next opened for writing; the original is kept.'
  expect(said).toMatchObject({ code: 'write_failed', message })
  await forgetLock(folder.path)
  await writeFile(sqlite, 'second')
  await writeFile(`${sqlite}-wal`, 'log of the second')
  await stopFrom(isSwap, 1, () => recoverWorkspace(folder.path))
  await forgetLock(folder.path)
  await writeFile(sqlite, 'third')
  expect(await recoverWorkspace(folder.path)).toMatchObject({ outcome: 'finished' })
  expect(withoutControl(await filesOf(folder.path))).toEqual(before)
  const control = join(folder.path, '.nirs-workspace')
  const kept = join(control, (await readdir(control)).find((name) => name.startsWith('rolled-back-')) ?? '')
  const read = (await readdir(kept)).sort().map(async (name) => [name, await readFile(join(kept, name), 'utf8')])
  expect(Object.fromEntries(await Promise.all(read))).toEqual({
    'store.sqlite': 'first',
    'store.sqlite.2': 'second',
    'store.sqlite.2-wal': 'log of the second',
    'store.sqlite.3': 'third',
  })
})
