import { existsSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { sqliteRows, upgradeStore } from '../sqlite/testing/convert-store.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { cutEverywhere } from '../testing/fault-loops.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { diskModels } from '../testing/fault-power.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { stoppedOnce } from '../testing/stopped-once.ts'
import { changeStore } from '../testing/tamper.ts'
import { listTrash } from '../trash/list-trash.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { isMergeDone } from './commit-merge.ts'
import { MergeJournal } from './merge-journal.ts'
import { mergeStores } from './merge-stores.ts'
import { leftoversIn, mergeBeside, stateOf } from './testing/merge-faults.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'
import { type MergeScene, makeMergeScene } from './testing/merge-scene.ts'

let scene: MergeScene
beforeAll(async () => {
  scene = await makeMergeScene()
})
afterAll(() => scene[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

test('what the fixture is for: rows come, one gives way, models and a shared file are among it', () => {
  const { total, before, after } = scene
  expect(total).toBeGreaterThan(60)
  expect(after.predictions).not.toBe(before.predictions)
  expect(after.removed).toEqual(['t1'])
  expect(after.models).toHaveLength(4)
})

/** The first, the last, every sixth (one of them while files are put in their places), one of every kind; `every-kill.faults.ts` visits all. */
const someStops = ({ stops, kinds }: MergeScene): number[] => {
  const kindOf = (n: number) => kinds[n - 1]
  const chosen = stops.filter((_, index) => index % 6 === 4 || index === 0 || index === stops.length - 1)
  const hit = new Set(chosen.map(kindOf))
  const lastOfKind = new Map(stops.map((n) => [kindOf(n), n]))
  const others = [...lastOfKind].flatMap(([kind, n]) => (hit.has(kind) ? [] : [n]))
  return [...chosen, ...others].sort((a, b) => a - b)
}

test('K1: nothing reaches the disk from operation n on: recovery leaves the old state or the merged one', {
  timeout: 900_000,
}, async () => {
  const outcomes: string[] = []
  for (const n of someStops(scene)) {
    const path = await scene.copy('stopped')
    await withFault('stop', n, () => mergeBeside(path))
    outcomes.push(await scene.outcome(path, `operation ${n} of ${scene.total}`))
  }
  // Once the transaction is done, it stays done.
  expect(outcomes.join(' ')).toMatch(/^(before ){10,}(before|after)( after)*$/)
  expect(outcomes.at(-1)).toBe('after')
})

test('what the store is about to name is on the disk before its transaction, and the folder is flushed again behind it', async () => {
  const path = await scene.copy('flushed')
  const operations = await expectFlushed(path, 'a merge', () => mergeBeside(path))
  const kinds = operations.filter((operation) => [path, join(path, 'store.duckdb')].includes(operation.path)).map(({ kind }) => kind)
  // Opened, files in their places; rows, checkpoint; closed; before the journal goes.
  const wanted = ['engine-write', 'fsync-folder', 'engine-write', 'engine-write', 'fsync', 'fsync-folder', 'fsync-folder']
  expect(kinds.slice(kinds.indexOf('engine-write'))).toEqual(wanted)
})

/** Every file is in its place, no row in the store. */
const stopBeforeRows = async (path: string): Promise<void> => {
  let opened = 0
  setFaultHook(({ kind, path: at }) => {
    if (kind === 'engine-write' && at === join(path, 'store.duckdb')) opened += 1
    if (opened >= 2) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(mergeBeside(path)).rejects.toThrow()
  setFaultHook(undefined)
}

test('stopped when every file is in its place and no row in the store: everything is taken back', async () => {
  const path = await scene.copy('placed')
  await stopBeforeRows(path)
  expect(await scene.outcome(path, 'stopped before the transaction')).toBe('before')
})

test('a check names the rows of arrays that a merge that died has brought as its own, and no others', async () => {
  const path = await scene.copy('checked')
  await stopBeforeRows(path)
  await forgetLock(path)
  const brief = async () =>
    (await verifyWorkspace(path, { depth: 'quick' })).findings.flatMap(({ code, ids = [] }) =>
      ['orphan_arrays', 'interrupted_job'].includes(code) && ids.length > 0 ? [[code, ids]] : [],
    )
  expect(await brief()).toEqual([['interrupted_job', ['s1', 's3', 's4']]])
  await recoverWorkspace(path)
  expect(await brief()).toEqual([])
})

const stopBehindRows = (path: string): Promise<void> => {
  const isCommitted = ({ kind, path: at }: DiskOperation) => kind === 'fsync' && at === join(path, 'store.duckdb')
  return stopFrom(isCommitted, 0, () => mergeBeside(path))
}

test('a merge whose rows are in the store is done, also when another program has removed one of them since, or all', async () => {
  const path = await scene.copy('done')
  await stopBehindRows(path)
  const journal = MergeJournal.parse(JSON.parse(await readFile(join(path, '.nirs-workspace', 'journal.json'), 'utf8')))
  const { evidence } = journal
  expect(evidence).toMatchObject({ table: 'predictions', removed: ['t1'] })
  await changeStore(join(path, 'store.duckdb'), `DELETE FROM predictions WHERE prediction_id = '${evidence?.ids[0]}'`)
  expect(await isMergeDone(layoutOf(path), journal)).toBe(true)
  const before = { table: evidence?.table, ids: evidence?.ids, inserted: true }
  expect(await isMergeDone(layoutOf(path), MergeJournal.parse({ ...journal, evidence: before }))).toBe(true)
  await changeStore(join(path, 'store.duckdb'), `DELETE FROM predictions WHERE prediction_id IN ('${evidence?.ids.join("', '")}')`)
  // A journal of before names no mark.
  expect(await isMergeDone(layoutOf(path), { ...journal, mark: null })).toBe(true)
  await forgetLock(path)
  expect(await recoverWorkspace(path)).toMatchObject({ recovered: true, outcome: 'finished' })
  expect(await readdir(join(path, 'arrays'))).toContain('milk.parquet')
  // Nothing else has what gave way.
  expect((await listTrash(path)).rows).toMatchObject([{ kind: 'merge', counts: { predictions: 1 } }])
})

test('a merge that was stopped before its transaction is undone, also when another program has removed since what was to give way', async () => {
  const path = await scene.copy('removed-since')
  await stopBeforeRows(path)
  await changeStore(join(path, 'store.duckdb'), "DELETE FROM predictions WHERE prediction_id = 't1'")
  await forgetLock(path)
  expect(await recoverWorkspace(path)).toMatchObject({ recovered: true, outcome: 'undone' })
  expect(await readdir(join(path, 'arrays'))).not.toContain('milk.parquet')
  expect((await listTrash(path)).rows).toEqual([])
})

test('the mark of a merge leaves what others have written about the table, and not that of the merge before', async () => {
  const path = await scene.copy('commented')
  const commentOf = () => queryStore(path, "SELECT comment FROM duckdb_tables() WHERE table_name = 'predictions'")
  await changeStore(join(path, 'store.duckdb'), "COMMENT ON TABLE predictions IS 'Ana''s'")
  const form = expect.stringMatching(/^Ana's\nnirs-workspace merge [0-9a-f-]{36}$/)
  await mergeBeside(path)
  const first = await commentOf()
  expect(first).toMatchObject([{ comment: form }])
  await changeStore(join(path, 'store.duckdb'), "DELETE FROM predictions WHERE dataset_name = 'milk'")
  await mergeBeside(path)
  expect(await commentOf()).toMatchObject([{ comment: form }])
  expect(await commentOf()).not.toEqual(first)
})

test.each([
  ['before its transaction', stopBeforeRows, 'undone'],
  ['behind its transaction', stopBehindRows, 'finished'],
] as const)(
  'a merge that was stopped %s is settled also where nirs4all has made a store.sqlite of the target since',
  async (_, stop, outcome) => {
    const path = await scene.copy('upgraded')
    await stop(path)
    await upgradeStore(path)
    await forgetLock(path)
    const before = sqliteRows(join(path, 'store.sqlite'))
    expect(await recoverWorkspace(path)).toMatchObject({ recovered: true, outcome })
    expect(sqliteRows(join(path, 'store.sqlite'))).toEqual(before)
    const isMerged = outcome === 'finished'
    expect((await readdir(join(path, 'arrays'))).includes('milk.parquet')).toBe(isMerged)
    expect(existsSync(join(path, 'artifacts', 'aa', 'model.joblib'))).toBe(isMerged)
    expect((await listTrash(path)).rows).toHaveLength(isMerged ? 1 : 0)
  },
)

test('a merge that brings arrays for rows that are there, and no row, is finished when it was stopped at its end, also where nirs4all has made a store.sqlite since', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'x', y: [1] }]
  const [to, from] = [
    await makeHybrid(join(folder.path, 'to'), { predictions }),
    await makeHybrid(join(folder.path, 'from'), { predictions }),
  ]
  await rm(join(to, 'arrays', 'wheat.parquet'))
  const journal = join(to, '.nirs-workspace', 'journal.json')
  await stopFrom(
    ({ kind, path }) => kind === 'unlink' && path === journal,
    0,
    () => mergeStores(to, [from], { jobId: 'job', cacheFolder: join(folder.path, 'cache') }),
  )
  await upgradeStore(to)
  await forgetLock(to)
  expect(await recoverWorkspace(to)).toMatchObject({ outcome: 'finished' })
  expect(await readdir(join(to, 'arrays'))).toEqual(['wheat.parquet'])
})

test('a merge that brings arrays for rows that are there, and no row, is finished when it was stopped right behind its transaction', async () => {
  await using folder = await temporaryFolder()
  const predictions = [{ id: 'x', y: [1] }]
  const to = await makeHybrid(join(folder.path, 'to'), { predictions })
  const from = await makeHybrid(join(folder.path, 'from'), { predictions })
  await rm(join(to, 'arrays', 'wheat.parquet'))
  const isCommitted = ({ kind, path }: DiskOperation) => kind === 'fsync' && path === join(to, 'store.duckdb')
  await stopFrom(isCommitted, 0, () => mergeStores(to, [from], { jobId: 'job', cacheFolder: join(folder.path, 'cache') }))
  await forgetLock(to)
  expect(await recoverWorkspace(to)).toMatchObject({ outcome: 'finished' })
  expect(await readdir(join(to, 'arrays'))).toEqual(['wheat.parquet'])
})

test('undoing a merge leaves models that a row names and files that were changed since, and flushes the folder of those that go', async () => {
  const path = await scene.copy('named')
  const models = join(path, 'artifacts', 'aa')
  await mkdir(models, { recursive: true })
  await writeFile(join(models, 'other.joblib'), 'other')
  await stopBeforeRows(path)
  expect((await readdir(models)).sort()).toEqual(['model.joblib', 'other.joblib', 'unnamed.joblib'])
  const row = "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('mine', 'aa/model.joblib', 'h')"
  await changeStore(join(path, 'store.duckdb'), row)
  // Somebody has gone on with an array file that the merge had put there.
  await appendFile(join(path, 'arrays', 'milk.parquet'), 'more')
  await forgetLock(path)
  const undo = await expectFlushed(path, 'the undo', () => recoverWorkspace(path))
  const isFlushed = ({ kind, path: at }: DiskOperation) => kind === 'fsync-folder' && at === join(path, 'arrays')
  const isDropped = ({ path: at }: DiskOperation) => at === join(path, '.nirs-workspace', 'merges', 'fault')
  expect(undo.findIndex(isFlushed)).toBeGreaterThan(-1)
  expect(undo.findIndex(isFlushed)).toBeLessThan(undo.findIndex(isDropped))
  expect((await readdir(join(path, 'arrays'))).sort()).toEqual(['milk.parquet', 'soil_pH.parquet', 'wheat.parquet'])
  expect((await readdir(models)).sort()).toEqual(['model.joblib', 'other.joblib'])
})

test('K3: a full disk or a failing one at n: coded, the target as it was or merged, and the next merge succeeds', {
  timeout: 900_000,
}, async () => {
  const modes: FaultMode[] = ['ENOSPC', 'EIO', 'ENOSPC-sticky']
  for (let n = 2; n <= scene.total; n += 11) {
    const mode = modes[n % 3] ?? 'EIO'
    const path = await scene.copy('full')
    const { error } = await withFault(mode, n, () => mergeBeside(path))
    if (error !== null) expect(error, `${mode} at ${n}`).toMatchObject({ code: 'write_failed' })
    // A disk that fails once is no reason to leave anything to the next job.
    if (!mode.endsWith('-sticky')) expect(await readInterruption(path), `${mode} at ${n}`).toBeNull()
    const state = await scene.outcome(path, `${mode} at ${n}`)
    if (error === null) expect(state).toBe('after')
    if (n % 4 !== 0) continue
    await mergeBeside(path, 'again')
    expect(await stateOf(path), `after ${mode} at ${n}, merged again`).toEqual(scene.after)
  }
})

test('K4: the power is cut after operation n, in four models of a disk', { timeout: 900_000 }, async () => {
  expect(await cutEverywhere(scene, (count, model) => count % 9 === diskModels.indexOf(model))).toBeGreaterThan(40)
})

test('K6: stopped again during recovery', { timeout: 900_000 }, async () => {
  for (const n of [Math.floor(scene.total * 0.6), scene.total - 22, scene.total - 4]) {
    const recoverCopy = await stoppedOnce(scene, n)
    const { stops } = await recoverCopy('count', 0)
    for (const again of stops.filter((_, index) => index % 4 === 2)) {
      const { path } = await recoverCopy('stop', again)
      await scene.outcome(path, `stopped at ${n}, then at ${again} of the recovery`)
    }
  }
})

test('K1, K2: a process that is really killed: the lock is taken over, the next merge succeeds', { timeout: 900_000 }, async () => {
  // While the journal of the commit is written; while files are put in their places; before the lock goes.
  for (const [mode, share] of [
    ['torn', 0.67],
    ['kill', 0.8],
    ['kill', 1],
  ] as const) {
    // A name of its own: a catalog left from another copy would be found, and fewer operations be made.
    const killed = await scene.copy(`killed-at-${share}`)
    const n = Math.max(1, Math.floor(share * scene.total) - 1)
    expect(await scene.runInChild(killed, mode, n)).toBeNull()
    await mergeBeside(killed, 'again')
    expect(await stateOf(killed), `${mode} at ${n}`).toEqual(scene.after)
    expect(await leftoversIn(killed)).toEqual([])
  }
})
