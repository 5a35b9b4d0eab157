import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import type { DiskOperation } from '../files/fault-point.ts'
import { filesOf, forgetLock } from '../testing/fault-oracle.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { changeStore, rewriteParquet } from '../testing/tamper.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

const time = '2026-01-02T03:04:05.000000+00:00'
const withoutControl = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('.nirs-workspace')))

test.each([
  ['some marks stay', ['a', 'c', 'gone'], { c: time, gone: time }],
  ['no mark stays', ['a'], null],
] as const)(
  'arrays that come from the table lose their marks of removal with the swap, and get them back with a roll back: %s',
  async (_, ids, left) => {
    await using folder = await temporaryFolder()
    const list = join(folder.path, 'arrays', '_tombstones.json')
    await makeStore(join(folder.path, 'store.duckdb'), {
      release: '0.7.1',
      predictions: [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2', y: null }],
    })
    await mkdir(join(folder.path, 'arrays'))
    // What only an array file has was shown neither before nor afterwards.
    await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'c', fold: '2' }])
    await writeFile(list, JSON.stringify(Object.fromEntries(ids.map((id) => [id, time]))))
    const before = await filesOf(folder.path)
    const { parquet_total_size } = await runMigration(folder.path, { jobId: 'one' })
    expect(parquet_total_size).toBe((await readFile(join(folder.path, 'arrays', 'wheat.parquet'))).length)
    expect(await readFile(list, 'utf8').then(JSON.parse, () => null)).toEqual(left)
    expect((await rollbackMigration(folder.path, { jobId: 'back' })).kept_newer_state_at).toBeNull()
    expect(withoutControl(await filesOf(folder.path))).toEqual(before)
  },
)

test('a forced roll back puts marks that were made since aside, with the newer state that they belong to', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  await runMigration(folder.path, { jobId: 'one' })
  await writeFile(join(folder.path, 'arrays', '_tombstones.json'), JSON.stringify({ a: time }))
  const { kept_newer_state_at } = await rollbackMigration(folder.path, { jobId: 'back', force: true })
  expect(JSON.parse(await readFile(join(kept_newer_state_at ?? '', 'arrays', '_tombstones.json'), 'utf8'))).toEqual({ a: time })
  expect((await inspectWorkspace(folder.path)).storage_mode).toBe('legacy')
})

/** Migrated, with arrays that only a file had and has; since then one of these predictions was removed, and another program's. */
const removedSince = async (root: string, marked: Record<string, string>): Promise<Record<string, string>> => {
  const store = join(root, 'store.duckdb')
  await makeStore(store, {
    release: '0.7.1',
    predictions: [{ id: 'a' }, { id: 'c', fold: '1', y: null }, { id: 'd', fold: '2', y: null }],
  })
  await mkdir(join(root, 'arrays'))
  await makeParquet(join(root, 'arrays', 'wheat.parquet'), [
    { id: 'c', fold: '1' },
    { id: 'd', fold: '2' },
  ])
  if (Object.keys(marked).length > 0) await writeFile(listIn(root), JSON.stringify(marked))
  await runMigration(root, { jobId: 'one' })
  await changeStore(store, "DELETE FROM predictions WHERE prediction_id = 'c'")
  const since = { ...marked, c: time, unknown: time }
  await writeFile(listIn(root), JSON.stringify(since))
  return since
}

const listIn = (root: string) => join(root, 'arrays', '_tombstones.json')

const expectLiving = async (root: string, id: string): Promise<void> => {
  const arrays = ArrayStore.open(root)
  await arrays.compact()
  expect((await arrays.loadBatch([id])).size).toBe(1)
}

test.each([
  ['nothing was marked before', {}],
  ['what was marked before stays so', { d: time }],
])('arrays that only a file has and that live again with a forced roll back lose the marks made since: %s', async (_, marked) => {
  await using folder = await temporaryFolder()
  const since = await removedSince(folder.path, marked)
  let kept: string | null = null
  await expectFlushed(folder.path, 'the roll back', async () => {
    kept = (await rollbackMigration(folder.path, { jobId: 'back', force: true })).kept_newer_state_at
  })
  expect(JSON.parse(await readFile(listIn(folder.path), 'utf8'))).toEqual({ ...marked, unknown: time })
  expect(JSON.parse(await readFile(listIn(kept ?? ''), 'utf8'))).toEqual(since)
  await expectLiving(folder.path, 'c')
})

test('a forced roll back that is stopped while it takes newer marks away is finished, and loses no list', async () => {
  await using folder = await temporaryFolder()
  const [prepared, stopped] = [join(folder.path, 'prepared'), join(folder.path, 'stopped')]
  await mkdir(prepared)
  const since = await removedSince(prepared, {})
  for (let after = 0; after < 12; after++) {
    await rm(stopped, { recursive: true, force: true })
    await cp(prepared, stopped, { recursive: true, preserveTimestamps: true })
    const isKept = ({ kind, path }: DiskOperation) => kind === 'mkdir' && path.includes('rolled-back-')
    await stopFrom(isKept, after, () => rollbackMigration(stopped, { jobId: 'back', force: true }))
    await forgetLock(stopped)
    await expectFlushed(stopped, `the recovery ${after}`, () => recoverWorkspace(stopped))
    expect(JSON.parse(await readFile(listIn(stopped), 'utf8')), `${after}`).toEqual({ unknown: time })
    const lists = Object.keys(await filesOf(stopped)).filter((name) => /rolled-back-.*_tombstones\.json/.test(name))
    const texts = await Promise.all(lists.map((name) => readFile(join(stopped, name), 'utf8')))
    expect(
      texts.map((text) => JSON.parse(text)),
      `${after}`,
    ).toContainEqual(since)
  }
  await expectLiving(stopped, 'c')
})

const isListPlaced = ({ kind, path }: DiskOperation) => kind === 'rename' && path.endsWith('arrays/_tombstones.json')
const isFilePlaced = ({ kind, path }: DiskOperation) => kind === 'link' && path.endsWith('arrays/wheat.parquet')
const isStoreSwapped = ({ kind, from }: DiskOperation) => kind === 'rename' && from?.endsWith('.new') === true
const changeError = (root: string) => changeStore(join(root, 'store.duckdb'), "UPDATE runs SET error = 'meanwhile'")
const changeFile = (root: string) => rewriteParquet(join(root, 'arrays', 'wheat.parquet'), '*')

test.each([
  ['the list was away', ['a'], isStoreSwapped, changeError, null],
  ['the new list was there', ['a', 'gone'], isStoreSwapped, changeError, { gone: time }],
  ['the old list was still there', ['a', 'gone'], isListPlaced, changeError, { gone: time }],
  ['one array file was changed', ['a', 'gone'], isStoreSwapped, changeFile, { gone: time }],
  ['no array file was there yet', ['a', 'gone'], isFilePlaced, changeError, { a: time, gone: time }],
] as const)(
  'array files that stay when a migration is undone are not hidden by marks of before: %s',
  async (_, ids, isStop, change, left) => {
    await using folder = await temporaryFolder()
    const root = folder.path
    await makeStore(join(root, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
    await mkdir(join(root, 'arrays'))
    // Hidden until now, and behind the other in the order of names: without its mark its row would be the one that counts.
    await makeParquet(join(root, 'arrays', 'zebra.parquet'), [{ id: 'a', y: [8, 8, 8] }])
    await writeFile(listIn(root), JSON.stringify(Object.fromEntries(ids.map((id) => [id, time]))))
    await stopFrom(isStop, 0, () => runMigration(root, { jobId: 'stopped' }))
    await forgetLock(root)
    await change(root)
    await expectFlushed(root, 'the undo', async () => expect(await recoverWorkspace(root)).toMatchObject({ outcome: 'undone' }))
    expect(await readFile(listIn(root), 'utf8').then(JSON.parse, () => null)).toEqual(left)
    const hasStayed = existsSync(join(root, 'arrays', 'wheat.parquet'))
    expect([hasStayed, existsSync(join(root, 'arrays', 'zebra.parquet'))]).toEqual([isStop !== isFilePlaced, isStop === isFilePlaced])
    expect((await ArrayStore.open(root).loadBatch(['a'])).get('a')?.y_true?.values).toEqual(
      hasStayed ? Float64Array.of(1, 2, 3) : undefined,
    )
  },
)
