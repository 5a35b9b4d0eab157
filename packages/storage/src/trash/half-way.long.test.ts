import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { markFile } from '../files/hash-file.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { makeWorkspace, saveArrays, snapshot, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import { writeJournal } from '../migration/journal.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeInLog, tamperBefore } from '../testing/tamper.ts'
import { vacuumWorkspace } from '../vacuum/vacuum-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { emptyTrash } from './empty-trash.ts'
import { listTrash } from './list-trash.ts'
import { restoreTrash } from './restore-trash.ts'
import type { ModelFile } from './trash-manifest.ts'
import { trashPlaces } from './trash-places.ts'

const job = { jobId: 'job' }
afterEach(() => setFaultHook(undefined))

const fail = () => {
  throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
}

const makeRemoved = async (path: string, kind: (typeof storeKinds)[number]): Promise<string> => {
  await makeWorkspace(path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  const plan = await makePlan(path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  return (await applyPlan(path, plan, job)).operation_id ?? ''
}

test('an operation of which a part is gone for good is listed no more, and the rest goes at the next opening', async () => {
  await using folder = await temporaryFolder()
  await makeRemoved(folder.path, 'duckdb')
  let died = false
  const kinds: string[] = []
  setFaultHook(async ({ kind, path }: DiskOperation) => {
    if (/trash\/[^/]+(\/manifest\.json)?$/.test(path)) kinds.push(kind)
    if (kind === 'remove-tree') {
      await rm(join(path, 'arrays'), { recursive: true })
      died = true
    }
    if (died) fail()
  })
  await expect(emptyTrash(folder.path, job)).rejects.toThrow()
  setFaultHook(undefined)
  // That the manifest is gone is on the disk before anything else goes.
  expect(kinds.slice(0, 3)).toEqual(['unlink', 'fsync-folder', 'remove-tree'])
  expect((await listTrash(folder.path)).total).toBe(0)
  await forgetLock(folder.path)
  await recoverWorkspace(folder.path)
  expect(existsSync(join(folder.path, '.nirs-workspace'))).toBe(false)
})

test.each(storeKinds)(
  'a restore that dies between the arrays and the rows in a store.%s is undone, and works the next time',
  async (kind) => {
    await using folder = await temporaryFolder()
    const operation = await makeRemoved(folder.path, kind)
    const before = await snapshot(folder.path)
    let writes = 0
    setFaultHook(({ kind: what, path }: DiskOperation) => {
      if (what === 'engine-write' && /store\.(duckdb|sqlite)$/.test(path)) writes += 1
      // 1: the store is opened; 2: its transaction is to be committed, the arrays are back already.
      if (writes >= 2) fail()
    })
    await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    await forgetLock(folder.path)
    expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'undone' })
    expect(await snapshot(folder.path)).toEqual(before)
    expect(await restoreTrash(folder.path, operation, job)).toMatchObject({ counts: { predictions: 1, arrays: 1 }, remaining: false })
  },
)

test.each(storeKinds)(
  'a check names the arrays of a removal that died as its own in a store.%s, and nothing once it is carried through',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
    await saveArrays(folder.path, [{ id: 'stray' }])
    const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
    setFaultHook(({ path }: DiskOperation) => {
      if (path.includes('_tombstones.json')) fail()
    })
    await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    await forgetLock(folder.path)
    const brief = async () => (await verifyWorkspace(folder.path, { depth: 'quick' })).findings.map(({ code, ids }) => [code, ids])
    expect(await brief()).toEqual([
      ['orphan_arrays', ['stray']],
      ['interrupted_job', ['a']],
    ])
    await recoverWorkspace(folder.path)
    expect(await brief()).toEqual([['orphan_arrays', ['stray']]])
  },
)

test.each(storeKinds)(
  'a removal from a store.%s that dies while it is taken back is taken back, whatever its journal says',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
    const before = await snapshot(folder.path)
    const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
    let journals = 0
    let isGivenUp = false
    setFaultHook(({ kind: what, path }: DiskOperation) => {
      if (isGivenUp) fail()
      if (what === 'rename' && path.endsWith('journal.json')) journals += 1
      // The journal says commit, but whether that is on the disk is unknown: everything is taken back, the manifest first.
      if (what === 'fsync-folder' && journals === 2) {
        journals += 1
        fail()
      }
      if (what === 'fsync-folder' && journals === 3 && !existsSync(join(path, 'manifest.json')) && /trash\/[^/]+$/.test(path))
        isGivenUp = true
    })
    await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    expect(isGivenUp).toBe(true)
    await forgetLock(folder.path)
    expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true })
    expect(await snapshot(folder.path)).toEqual(before)
  },
)

test.each(storeKinds)('a restore to a store.%s on a disk that fails once is undone at once, and works the next time', async (kind) => {
  await using folder = await temporaryFolder()
  const operation = await makeRemoved(folder.path, kind)
  const before = await snapshot(folder.path)
  const isStore = ({ kind: what, path }: DiskOperation) => what === 'engine-write' && /store\.(duckdb|sqlite)$/.test(path)
  tamperBefore(isStore, async () => fail(), 2)
  await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  expect(existsSync(join(folder.path, '.nirs-workspace', 'journal.json'))).toBe(false)
  expect(await snapshot(folder.path)).toEqual(before)
  expect(await restoreTrash(folder.path, operation, job)).toMatchObject({ counts: { predictions: 1, arrays: 1 }, remaining: false })
})

test('a restore that was stopped is not done because rows that it brings back are there by then', async () => {
  await using folder = await temporaryFolder()
  const model = (id: string) => `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', 'aa/${id}.joblib', 'h')`
  const ids = ['m1', 'm2']
  const store = join(folder.path, 'store.sqlite')
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }], extra: ids.map(model) })
  await mkdir(join(folder.path, 'artifacts', 'aa'), { recursive: true })
  for (const id of ids) await writeFile(join(folder.path, 'artifacts', 'aa', `${id}.joblib`), id)
  const before = await snapshot(folder.path)
  const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, { kind: 'artifact_gc', grace_hours: 0 }), job)
  // The second time as many rows are there as come back, and no model.
  for (const others of [['m1'], ids]) {
    let hasStopped = false
    setFaultHook(({ kind: what, path }: DiskOperation) => {
      hasStopped ||= what === 'link' && path.includes('/artifacts/')
      if (hasStopped) fail()
    })
    await expect(restoreTrash(folder.path, operation_id ?? '', job)).rejects.toMatchObject({ code: 'write_failed' })
    setFaultHook(undefined)
    await forgetLock(folder.path)
    changeSqlite(store, others.map(model).join('; '))
    expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'undone' })
    changeSqlite(store, 'DELETE FROM artifacts')
  }
  expect(await restoreTrash(folder.path, operation_id ?? '', job)).toMatchObject({ counts: { artifacts: 2 }, remaining: false })
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a restore that fails after its commit says what came back', async () => {
  await using folder = await temporaryFolder()
  const operation = await makeRemoved(folder.path, 'sqlite')
  const isStore = ({ kind: what, path }: DiskOperation) => what === 'engine-write' && /store\.sqlite$/.test(path)
  tamperBefore(isStore, async () => fail(), 3)
  const restored = await restoreTrash(folder.path, operation, job)
  expect(restored).toMatchObject({ counts: { predictions: 1, arrays: 1 }, remaining: false })
})

test('a full disk at the first journal of a job is said as that, and leaves nothing to tidy up', async () => {
  await using folder = await temporaryFolder()
  const operation = await makeRemoved(folder.path, 'duckdb')
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
  const jobs = [
    () => applyPlan(folder.path, plan, job),
    () => restoreTrash(folder.path, operation, job),
    () => vacuumWorkspace(folder.path),
  ]
  for (const run of jobs) {
    tamperBefore(
      ({ kind, path }) => kind === 'write' && /\.nirs-workspace\/\.[^/]+\.tmp$/.test(path),
      async () => {
        throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' })
      },
    )
    await expect(run()).rejects.toMatchObject({ code: 'write_failed', message: expect.stringContaining('The disk is full') })
    setFaultHook(undefined)
    expect(await readInterruption(folder.path)).toBeNull()
  }
  expect((await listTrash(folder.path)).total).toBe(1)
})

test.each(storeKinds)('without their arrays no rows come back to a store.%s', async (kind) => {
  await using folder = await temporaryFolder()
  const operation = await makeRemoved(folder.path, kind)
  const before = await snapshot(folder.path)
  setFaultHook(({ path }: DiskOperation) => {
    if (path.startsWith(join(folder.path, 'arrays'))) fail()
  })
  await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await forgetLock(folder.path)
  await recoverWorkspace(folder.path)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('undoing a restore takes back only what is its own: nothing that a row names, no model that somebody has changed', async () => {
  await using folder = await temporaryFolder()
  const named = "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/named.joblib', 'h')"
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }], extra: [named] })
  await saveArrays(folder.path, [{ id: 'stray' }])
  const files: ModelFile[] = []
  await mkdir(join(folder.path, 'artifacts', 'aa'), { recursive: true })
  for (const name of ['named', 'changed', 'own']) {
    const file = join(folder.path, 'artifacts', 'aa', `${name}.joblib`)
    await writeFile(file, name)
    const { bytes, sha256 } = await markFile(file)
    files.push({ path: `aa/${name}.joblib`, bytes, sha256 })
  }
  await writeFile(join(folder.path, 'artifacts', 'aa', 'changed.joblib'), 'CHANGED')
  const before = await snapshot(folder.path)
  const places = trashPlaces(layoutOf(folder.path), 'op')
  const stopAgain = async () => {
    await mkdir(places.folder, { recursive: true })
    await writeFile(places.restoring, JSON.stringify({ tables: [], arrays: ['a', 'stray'], datasets: [], files }))
    await writeJournal(layoutOf(folder.path), {
      format: 'nirs-workspace/journal/1',
      kind: 'restore',
      job_id: 'x',
      phase: 'commit',
      started_at: '',
      operation: 'op',
      evidence: null,
    })
  }
  // Of what the trash no longer has nothing is taken back.
  await stopAgain()
  expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'finished' })
  expect(await snapshot(folder.path)).toEqual(before)
  await stopAgain()
  await writeFile(places.manifest, '{}')
  await expectFlushed(folder.path, 'the undo', async () => {
    expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'undone' })
  })
  const { 'wheat/stray': _stray, ...arrays } = before.arrays
  const { 'aa/own.joblib': _own, ...models } = before.models
  expect(await snapshot(folder.path)).toEqual({ ...before, arrays, models })
  expect(existsSync(places.restoring)).toBe(false)
})

test('a restore that was stopped while it noted what came back leaves nothing in the trash but what belongs there', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2' }] })
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a', 'b'] })
  const operation = (await applyPlan(folder.path, plan, job)).operation_id ?? ''
  const places = trashPlaces(layoutOf(folder.path), operation)
  const kept = await readdir(places.folder)
  let hasStopped = false
  setFaultHook(({ kind, path }: DiskOperation) => {
    hasStopped ||= kind === 'rename' && path === places.restored
    if (hasStopped) fail()
  })
  await expect(restoreTrash(folder.path, operation, { ...job, ids: ['a'] })).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  expect((await readdir(places.folder)).filter((name) => name.endsWith('.tmp'))).toHaveLength(1)
  // The arrays came from here; that the name is gone was not flushed, and a power cut brings it back.
  await writeFile(join(places.folder, 'part.parquet'), 'part')
  await forgetLock(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'finished' })
  expect((await readdir(places.folder)).sort()).toEqual([...kept, 'restored.json'].sort())
})

test('folders in the trash that no operation has made stay where they are', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }] })
  const trash = join(folder.path, '.nirs-workspace', 'trash')
  for (const name of ['notes', 'remove-01234567']) {
    await mkdir(join(trash, name), { recursive: true })
    await writeFile(join(trash, name, 'note.txt'), 'mine')
  }
  await recoverWorkspace(folder.path)
  expect(await readdir(trash)).toEqual(['notes'])
  expect(await readdir(join(trash, 'notes'))).toEqual(['note.txt'])
})

/** A workspace with a model that no chain names, collected on a disk without hard links. */
const collectWithoutLinks = async (path: string) => {
  const model = "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/m.joblib', 'h')"
  await makeWorkspace(path, { kind: 'duckdb', predictions: [{ id: 'a' }], extra: [model] })
  await mkdir(join(path, 'artifacts', 'aa'), { recursive: true })
  await writeFile(join(path, 'artifacts', 'aa', 'm.joblib'), 'model')
  const before = await snapshot(path)
  setFaultHook(refuseLinks)
  const { operation_id } = await applyPlan(path, await makePlan(path, { kind: 'artifact_gc', grace_hours: 0 }), job)
  expect((await snapshot(path)).models).toEqual({})
  return { before, operation: operation_id ?? '' }
}

const refuseLinks = ({ kind, path }: DiskOperation) => {
  if (kind === 'link' && path.includes('/artifacts/')) throw Object.assign(new Error('EPERM: no links'), { code: 'EPERM' })
}

test('models are kept and come back where a file can have one name only', async () => {
  await using folder = await temporaryFolder()
  const { before, operation } = await collectWithoutLinks(folder.path)
  await restoreTrash(folder.path, operation, job)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a model of which half was copied when its restore was stopped is none, and comes back whole the next time', async () => {
  await using folder = await temporaryFolder()
  const { before, operation } = await collectWithoutLinks(folder.path)
  const collected = await snapshot(folder.path)
  let copy: string | null = null
  let hasStopped = false
  setFaultHook(async (disk: DiskOperation) => {
    refuseLinks(disk)
    if (disk.kind === 'copy') copy = disk.path
    if (disk.kind === 'fsync' && disk.path === copy) {
      await truncate(copy, 2)
      hasStopped = true
    }
    if (hasStopped) fail()
  })
  await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'write_failed' })
  expect(hasStopped).toBe(true)
  setFaultHook(undefined)
  await forgetLock(folder.path)
  await recoverWorkspace(folder.path)
  expect(await snapshot(folder.path)).toEqual(collected)
  setFaultHook(refuseLinks)
  await restoreTrash(folder.path, operation, job)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('minus zero is minus zero in the trash', async () => {
  await using folder = await temporaryFolder()
  const predictions = Array.from({ length: 20 }, (_, at) => ({ id: `p${at}`, fold: String(at), score: 0 }))
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  // In the log it lasts; the blocks of a store may lose it.
  const columns = "* REPLACE ('zero' AS prediction_id, '99' AS fold_id, '-0.0'::DOUBLE AS val_score)"
  const sql = `INSERT INTO predictions SELECT ${columns} FROM predictions WHERE prediction_id = 'p4'`
  await changeInLog(join(folder.path, 'store.duckdb'), sql)
  expect((await snapshot(folder.path)).tables.predictions?.join()).toContain('"-0.0"')
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: [...predictions.map(({ id }) => id), 'zero'] })
  const { operation_id } = await applyPlan(folder.path, plan, job)
  const kept = join(trashPlaces(layoutOf(folder.path), operation_id ?? '').folder, 'predictions.parquet')
  const { score } = await withEngine({}, (engine) =>
    engine.one(z.object({ score: z.number() }), `SELECT val_score AS score FROM ${quotedString(kept)} WHERE prediction_id = 'zero'`),
  )
  expect(score).toBe(-0)
})
