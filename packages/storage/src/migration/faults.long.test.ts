import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { cutEverywhere } from '../testing/fault-loops.ts'
import { arraysOf, forgetLock } from '../testing/fault-oracle.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { stoppedOnce } from '../testing/stopped-once.ts'
import { readInterruption } from './read-interruption.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { type MigrationScene, makeMigrationScene, makeRollbackScene, withEveryKind } from './testing/migration-scene.ts'

let scene: MigrationScene
let rollback: MigrationScene
beforeAll(async () => {
  scene = await makeMigrationScene()
  rollback = await makeRollbackScene()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await rollback[Symbol.asyncDispose]()
})
afterEach(() => setFaultHook(undefined))

describe('a migration that ends before operation n', () => {
  test('K1: nothing reaches the disk from n on: recovery leaves the old state or the new one, with all arrays', {
    timeout: 600_000,
  }, async () => {
    expect(scene.total).toBeGreaterThan(40)
    const outcomes: string[] = []
    // While files are staged, `npm run test:faults` stops at the others too.
    const chosen = scene.stops.filter((n, index) => n > scene.total / 2 || index % 2 === 0)
    expect(chosen.length).toBeGreaterThan(20)
    for (const n of withEveryKind(scene, chosen)) {
      const path = await scene.copy('stopped')
      await withFault('stop', n, () => scene.run(path))
      outcomes.push(await scene.outcome(path, `operation ${n}`))
      if (outcomes.length % 10 === 0 && outcomes.at(-1) === 'before')
        expect(await scene.run(path)).toMatchObject({ verification_passed: true })
    }
    // Once the swap is done, it stays done.
    expect(outcomes.join(' ')).toMatch(/^(before ){15,}(before|after)( after)*$/)
    expect(outcomes.at(-1)).toBe('after')
  })

  test('stopped right before the swap: undone, and still undone when that is stopped again once the new store is gone', async () => {
    const isSwap = ({ kind, path, from }: DiskOperation) =>
      kind === 'rename' && path.endsWith('store.duckdb') && from?.endsWith('.new') === true
    const isNewStore = ({ kind, path }: DiskOperation) => kind === 'unlink' && path.endsWith('.new')
    const once = await scene.copy('stopped')
    await stopFrom(isSwap, 0, () => scene.run(once))
    await forgetLock(once)
    const undo = await expectFlushed(once, 'the undo', () => recoverWorkspace(once))
    const kinds = undo.filter(({ path }) => path === once || dirname(path) === once).map(({ kind, path }) => `${kind} ${basename(path)}`)
    // The new store goes when everything else is on the disk, and is gone there before the journal goes.
    const flushed = 'fsync-folder stopped'
    const last = ['unlink arrays', flushed, 'unlink store.duckdb.fault.new', flushed]
    expect(kinds.slice(kinds.indexOf('unlink arrays')).slice(0, 4)).toEqual(last)
    expect(await scene.outcome(once, 'stopped before the swap')).toBe('before')
    const twice = await scene.copy('stopped twice')
    await stopFrom(isSwap, 0, () => scene.run(twice))
    await forgetLock(twice)
    await stopFrom(isNewStore, 1, () => recoverWorkspace(twice))
    expect(await scene.outcome(twice, 'stopped again in the undo')).toBe('before')
  })

  test('K3: a full disk or a failing one at n, once or from then on: undone, coded, and the next run succeeds', {
    timeout: 600_000,
  }, async () => {
    const modes: FaultMode[] = ['ENOSPC', 'EIO', 'ENOSPC-sticky', 'EFBIG']
    // `npm run test:faults` fails every operation in all of these ways.
    const chosen = scene.kinds.flatMap((_, index) => (index % 6 === 0 ? [index + 1] : []))
    expect(chosen.length).toBeGreaterThan(10)
    for (const [index, n] of withEveryKind(scene, chosen).entries()) {
      const mode = modes[index % modes.length] ?? 'ENOSPC'
      const path = await scene.copy('full')
      const { error } = await withFault(mode, n, () => scene.run(path))
      if (error !== null) expect(error, `${mode} at ${n}`).toMatchObject({ code: 'write_failed' })
      // A disk that fails once is no reason to leave anything to the next job.
      if (!mode.endsWith('-sticky')) expect(await readInterruption(path), `${mode} at ${n}`).toBeNull()
      const state = await scene.outcome(path, `${mode} at ${n}`)
      if (error === null) expect(state).toBe('after')
      if (n % 24 === 1 && state === 'before') expect(await scene.run(path)).toMatchObject({ verification_passed: true })
    }
  })

  test('K6: stopped again during recovery, at any operation of it', { timeout: 600_000 }, async () => {
    const { total } = scene
    for (const n of [Math.floor(total * 0.6), total - 14, total - 7]) {
      const recover = await stoppedOnce(scene, n)
      const { stops } = await recover('count', 0)
      for (const again of stops.filter((_, index) => index % 3 === 0)) {
        const { path } = await recover('stop', again)
        await scene.outcome(path, `stopped at ${n}, then at ${again} of the recovery`)
      }
    }
  })
})

test('a rollback that ends before operation n is finished by recovery, or has not begun', { timeout: 600_000 }, async () => {
  const outcomes: string[] = []
  for (let n = 1; n <= rollback.total; n++) {
    const mode = n % 3 === 0 ? 'ENOSPC' : 'stop'
    if (mode === 'stop' && !rollback.stops.includes(n)) continue
    const path = await rollback.copy('rolled')
    await withFault(mode, n, () => rollback.run(path))
    outcomes.push(await rollback.outcome(path, `operation ${n} of the rollback`))
  }
  expect(outcomes[0]).toBe('before')
  expect(outcomes.at(-1)).toBe('after')
})

describe('K4: the power is cut after operation n, in four models of a disk', () => {
  test('a migration', { timeout: 600_000 }, async () => {
    expect(await cutEverywhere(scene)).toBeGreaterThan(200)
  })

  test('a rollback', { timeout: 600_000 }, async () => {
    expect(await cutEverywhere(rollback)).toBeGreaterThan(80)
  })
})

describe('a process that is really killed', () => {
  test('K1, K2: SIGKILL and torn writes: the lock is taken over, and the next migration succeeds', { timeout: 600_000 }, async () => {
    const points = [0.15, 0.5, 0.8, 0.9, 1].map((share) => Math.max(1, Math.floor(share * scene.total) - 1))
    const arrays = await arraysOf(await scene.copy('reference'))
    for (const [index, n] of points.entries()) {
      const killed = await scene.copy('killed')
      expect(await scene.runInChild(killed, index % 2 === 0 ? 'kill' : 'torn', n)).toBeNull()
      expect(existsSync(join(killed, '.nirs-workspace', 'lock'))).toBe(true)
      const interruption = await readInterruption(killed)
      if (interruption !== null) expect(interruption).toMatchObject({ job_id: 'fault', kind: 'migrate' })
      await recoverWorkspace(killed)
      expect(await arraysOf(killed)).toEqual(arrays)
      expect((await readdir(killed)).filter((name) => name.endsWith('.new'))).toEqual([])
    }
  })
})
