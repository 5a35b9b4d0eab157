import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { makeWorkspace, saveArrays, snapshot, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { emptyTrash } from './empty-trash.ts'
import { listTrash } from './list-trash.ts'
import { restoreTrash } from './restore-trash.ts'

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
