import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { flipBit } from '../array-store/testing/flip-bits.ts'
import { withEngine } from '../engine/open-engine.ts'
import { planMigration } from '../migration/plan-migration.ts'
import { runMigration } from '../migration/run-migration.ts'
import { arraysOf } from '../testing/fault-oracle.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { copyWorkspace, hasSharedWorkspaces } from '../testing/shared-workspaces.ts'
import { changeInLog } from '../testing/tamper.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { findCutLog } from './find-cut-log.ts'
import { inspectWorkspace } from './inspect-workspace.ts'
import { resolveWorkspace } from './resolve-workspace.ts'

test.skipIf(!hasSharedWorkspaces())('a damaged log is named as such: the store beside it is not what has to be restored', async () => {
  await using copy = await copyWorkspace('crashed-wal')
  await using cache = await temporaryFolder()
  const log = join(copy.path, 'store.duckdb.wal')
  await flipBit(log, Math.floor((await stat(log)).size / 2), 3)
  const before = await hashTree(copy.path)
  await expect(inspectWorkspace(copy.path, { cacheFolder: cache.path })).rejects.toMatchObject({
    code: 'store_unreadable',
    message: expect.stringMatching(/^The log beside the store is damaged/),
    fields: { hint: expect.stringContaining('store.duckdb.wal') },
  })
  expect(await hashTree(copy.path)).toBe(before)
})

/** A store of one prediction whose further changes, each a transaction of its own, are in its log. */
const logged = async (folder: string, changes: readonly string[]): Promise<string> => {
  const store = join(folder, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  await changeInLog(store, changes.join('; '))
  return `${store}.wal`
}

const unfinished = async (path: string): Promise<number | null> => {
  const [finding] = await findCutLog(await resolveWorkspace(path))
  return finding === undefined ? null : Number(/its last (\d+) bytes/.exec(finding.detail)?.[1])
}

const rename = (name: string) => `UPDATE runs SET name = '${name}'`

test('a log that is whole is not said to be cut short, whatever changes it holds', async () => {
  await using folder = await temporaryFolder()
  await logged(folder.path, [
    rename('once'),
    'CREATE TABLE notes (id INTEGER, note VARCHAR)',
    "INSERT INTO notes SELECT range, 'note ' || range FROM range(5000)",
    'DELETE FROM notes WHERE id < 9',
    'ALTER TABLE notes ADD COLUMN more DOUBLE',
    'DROP TABLE notes',
  ])
  expect(await unfinished(folder.path)).toBeNull()
})

test('nor is the log of a store of the newest form, whose head is longer', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }] })
  const other = join(folder.path, 'other.duckdb')
  await withEngine({}, (engine) =>
    engine.run(`PRAGMA disable_checkpoint_on_shutdown; ATTACH '${other}' AS o (STORAGE_VERSION 'latest'); CREATE TABLE o.t (a INTEGER);
      CHECKPOINT o; INSERT INTO o.t VALUES (1); INSERT INTO o.t VALUES (2); DETACH o`),
  )
  const log = await readFile(`${other}.wal`)
  for (const [length, bytes] of [[log.length, null] as const, [log.length - 1, expect.any(Number)] as const]) {
    await writeFile(join(folder.path, 'store.duckdb.wal'), log.subarray(0, length))
    expect(await unfinished(folder.path)).toEqual(bytes)
  }
})

test('cut anywhere, a log says how many bytes of it are no whole change, and DuckDB has every change before them', async () => {
  await using folder = await temporaryFolder()
  const log = await logged(folder.path, [rename('one')])
  const first = (await stat(log)).size
  await changeInLog(join(folder.path, 'store.duckdb'), rename('two'))
  const whole = await readFile(log)
  expect(await unfinished(folder.path)).toBeNull()
  for (const length of [first + 1, first + 15, first + 16, whole.length - 21, whole.length - 6, whole.length - 1]) {
    await writeFile(log, whole.subarray(0, length))
    expect(await unfinished(folder.path)).toBe(length - first)
    expect(await nameOf(join(folder.path, 'store.duckdb'))).toBe('one')
  }
  await writeFile(log, whole.subarray(0, first))
  expect(await unfinished(folder.path)).toBeNull()
  await writeFile(log, whole.subarray(0, 5))
  expect(await unfinished(folder.path)).toBe(5)
})

const nameOf = (store: string): Promise<unknown> =>
  withEngine({}, async (engine) => {
    await engine.run(`ATTACH '${store}' AS o (READ_ONLY)`)
    const [row] = await engine.rows(z.object({ name: z.string() }), 'SELECT name FROM o.runs')
    await engine.run('DETACH o')
    return row?.name
  })

test.skipIf(!hasSharedWorkspaces())(
  'a log cut short is named by inspection, check, plan and report, which claim no more than is there',
  async () => {
    await using copy = await copyWorkspace('crashed-wal')
    await using cache = await temporaryFolder()
    expect((await planMigration(copy.path)).warnings.map(({ code }) => code)).not.toContain('log_cut_short')
    const log = join(copy.path, 'store.duckdb.wal')
    await truncate(log, 1_000_000)
    const cut = expect.objectContaining({ code: 'log_cut_short', detail: expect.stringMatching(/its last \d+ bytes/) })
    const { findings, counts } = await inspectWorkspace(copy.path, { cacheFolder: cache.path })
    expect(findings).toContainEqual(cut)
    expect(findings.map(({ code }) => code)).not.toContain('write_ahead_log')
    expect(counts.predictions).toBeLessThan(306)
    expect(await verifyWorkspace(copy.path, { depth: 'quick' })).toMatchObject({ passed: false, findings: expect.arrayContaining([cut]) })
    const wanted = await arraysOf(copy.path)
    const { warnings } = await planMigration(copy.path)
    expect(warnings).toContainEqual(cut)
    const report = await runMigration(copy.path, { jobId: 'cut' })
    expect(report.warnings).toContainEqual(cut)
    for (const one of [warnings, report.warnings]) {
      expect(one.find(({ code }) => code === 'write_ahead_log')?.detail).toMatch(/except for the change in which the log ends/)
    }
    expect(await arraysOf(copy.path)).toEqual(wanted)
    expect((await stat(report.backup_wal_path ?? '')).size).toBe(1_000_000)
  },
)
