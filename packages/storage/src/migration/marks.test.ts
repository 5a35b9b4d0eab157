import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesOf } from '../testing/fault-oracle.ts'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
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
