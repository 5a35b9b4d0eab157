import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { openFilesBelow } from '../arrays/testing/tree-hash.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { type FaultMode, faultHook } from '../testing/fault-hooks.ts'
import { filesOf, forgetLock, type Scratch } from '../testing/fault-oracle.ts'
import { diskModels, recordOperations, replayCut } from '../testing/fault-power.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { listTrash } from '../trash/list-trash.ts'
import { checkTrashFiles, readManifest } from '../trash/trash-manifest.ts'
import { leftoversIn, mergeBeside, mergeFixture, stateOf } from './testing/merge-faults.ts'

let scratch: Scratch
let before: Record<string, unknown>
let after: Record<string, unknown>
let files: Record<string, string>
let source: string
let total: number

beforeAll(async () => {
  scratch = await mergeFixture()
  const path = await scratch.copy('reference')
  files = await filesOf(path)
  before = await stateOf(path)
  source = await hashTree(join(scratch.path, 'source'))
  total = (await withFault('count', 0, () => mergeBeside(path))).operations
  after = await stateOf(path)
}, 120_000)
afterAll(() => scratch[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

const withFault = async (mode: FaultMode, n: number, job: () => Promise<unknown>) => {
  const { hook, operations } = faultHook(mode, n)
  setFaultHook(hook)
  try {
    await job()
    return { operations: operations.length, error: null }
  } catch (error) {
    return { operations: operations.length, error }
  } finally {
    setFaultHook(undefined)
  }
}

/** After recovery: the old state with the old files, or the merged one; nothing of the job is left; the source was never touched. */
const expectWhole = async (path: string, about: string): Promise<'old' | 'merged'> => {
  expect(await openFilesBelow(path), about).toEqual([])
  await forgetLock(path)
  await recoverWorkspace(path)
  expect(await readInterruption(path), about).toBeNull()
  expect(await leftoversIn(path), about).toEqual([])
  expect(await hashTree(join(scratch.path, 'source')), about).toBe(source)
  const state = await stateOf(path)
  const isMerged = state.predictions !== before.predictions
  expect(state, about).toEqual(isMerged ? after : before)
  const other = (all: Record<string, string>) =>
    Object.entries(all).filter(([name]) => !/^(store\.duckdb(\.wal)?|\.nirs-workspace\/)$/.test(name))
  if (!isMerged) expect(other(await filesOf(path)), about).toEqual(other(files))
  await expectTrash(path, isMerged, about)
  return isMerged ? 'merged' : 'old'
}

/** What gave way is in the trash, whole, exactly when it is no longer in the store. */
const expectTrash = async (path: string, isMerged: boolean, about: string): Promise<void> => {
  const { rows } = await listTrash(path)
  expect(
    rows.map(({ kind, counts }) => ({ kind, counts })),
    about,
  ).toEqual(isMerged ? [{ kind: 'merge', counts: { predictions: 1 } }] : [])
  const layout = layoutOf(path)
  for (const { operation_id } of rows) await checkTrashFiles(layout, await readManifest(layout, operation_id))
}

test('what the fixture is for: rows come, one gives way, models and a shared file are among it', () => {
  expect(total).toBeGreaterThan(60)
  expect(after.predictions).not.toBe(before.predictions)
  expect(after.removed).toEqual(['t1'])
  expect(after.models).toHaveLength(4)
})

test('K1: nothing reaches the disk from operation n on: recovery leaves the old state or the merged one', {
  timeout: 900_000,
}, async () => {
  const outcomes: string[] = []
  for (let n = 1; n <= total; n += 4) {
    const path = await scratch.copy('stopped')
    await withFault('stop', n, () => mergeBeside(path))
    outcomes.push(await expectWhole(path, `operation ${n} of ${total}`))
  }
  // Once the transaction is done, it stays done.
  expect(outcomes.join(' ')).toMatch(/^(old ){10,}(old|merged)( merged)*$/)
  expect(outcomes.at(-1)).toBe('merged')
})

test('K3: a full disk or a failing one at n: coded, the target as it was or merged, and the next merge succeeds', {
  timeout: 900_000,
}, async () => {
  const modes: FaultMode[] = ['ENOSPC', 'EIO', 'ENOSPC-sticky']
  for (let n = 2; n <= total; n += 7) {
    const mode = modes[n % 3] ?? 'EIO'
    const path = await scratch.copy('full')
    const { error } = await withFault(mode, n, () => mergeBeside(path))
    if (error !== null) expect(error, `${mode} at ${n}`).toMatchObject({ code: 'write_failed' })
    const state = await expectWhole(path, `${mode} at ${n}`)
    if (error === null) expect(state).toBe('merged')
    if (n % 4 !== 0) continue
    await mergeBeside(path, 'again')
    expect(await stateOf(path), `after ${mode} at ${n}, merged again`).toEqual(after)
  }
})

test('K4: the power is cut after operation n, in four models of a disk', { timeout: 900_000 }, async () => {
  const root = await scratch.copy('powered')
  const original = await scratch.copy('before-power-cut')
  const { hook, operations } = recordOperations()
  setFaultHook(hook)
  await mergeBeside(root)
  setFaultHook(undefined)
  // What happens in the cache folder happens elsewhere.
  const own = operations.filter(({ path }) => path.startsWith(`${root}/`) || path === root)
  const moved = own.map((operation) => ({
    ...operation,
    path: original + operation.path.slice(root.length),
    ...(operation.from === undefined ? {} : { from: original + operation.from.slice(root.length) }),
  }))
  const cut = join(scratch.path, 'cut')
  for (const [index, model] of diskModels.entries()) {
    for (let count = moved.length; count > 0; count -= count === moved.length ? 1 + index : 9) {
      await replayCut(original, moved, count, model, cut)
      const last = moved[count - 1]
      const state = await expectWhole(cut, `${model}, ${count} of ${moved.length}: ${last?.kind} ${last?.path}`)
      if (count === moved.length) expect(state, model).toBe('merged')
    }
  }
})

test('K6: stopped again during recovery', { timeout: 900_000 }, async () => {
  for (const n of [Math.floor(total * 0.6), total - 22, total - 4]) {
    for (let again = 4; ; again += 7) {
      const path = await scratch.copy('twice')
      await withFault('stop', n, () => mergeBeside(path))
      await forgetLock(path)
      const { error } = await withFault('stop', again, () => recoverWorkspace(path))
      await expectWhole(path, `stopped at ${n}, then at ${again} of the recovery`)
      if (error === null) break
    }
  }
})

test('K1, K2: a process that is really killed: the lock is taken over, the next merge succeeds', { timeout: 900_000 }, async () => {
  const run = promisify(execFile)
  const child = join(import.meta.dirname, '..', 'testing', 'fault-child.ts')
  const path = await scratch.copy('counted')
  const { stdout } = await run(process.execPath, ['--no-warnings', child, 'merge', path, 'count', '0'])
  const { operations } = z.object({ operations: z.number() }).parse(JSON.parse(stdout))
  for (const [index, share] of [0.3, 0.6, 0.8, 0.9, 1].entries()) {
    const killed = await scratch.copy('killed')
    const n = Math.max(1, Math.floor(share * operations) - 1)
    const mode = index % 2 === 0 ? 'kill' : 'torn'
    await expect(run(process.execPath, ['--no-warnings', child, 'merge', killed, mode, String(n)])).rejects.toMatchObject({
      signal: 'SIGKILL',
    })
    await mergeBeside(killed, 'again')
    expect(await stateOf(killed), `${mode} at ${n}`).toEqual(after)
    expect(await leftoversIn(killed)).toEqual([])
  }
})
