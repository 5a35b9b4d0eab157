import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { copyOf, killedAt, sceneOf } from './testing/fault-scene.ts'
import { type StoreKind, storeKinds } from './testing/maintenance-fixture.ts'
import { faultJobNames } from './testing/maintenance-jobs.ts'

/** Operations from one kill to the next; `npm run test:faults` takes every one. The steps of a store.sqlite differ only where its rows go. */
const steps: Record<StoreKind, number> = { duckdb: 9, sqlite: 18 }
/** What the job itself makes of a failure, by its share of the way: what has been done by then is taken back, or carried through. */
const failures: Record<StoreKind, readonly (readonly [FaultMode, number])[]> = {
  duckdb: [
    ['ENOSPC', 0.2],
    ['EIO-sticky', 0.5],
    ['ENOSPC', 0.85],
  ],
  sqlite: [
    ['EIO-sticky', 0.4],
    ['ENOSPC', 0.8],
  ],
}

const cases = faultJobNames.flatMap((name, index) => storeKinds.map((kind): [StoreKind, typeof name, number] => [kind, name, index]))

describe('K1, K3: stopped, or out of space, before an operation: recovery leaves the old state or the new one', () => {
  test.each(cases)('store.%s: %s', { timeout: 600_000 }, async (kind, name, index) => {
    const scene = await sceneOf(kind, name)
    const step = steps[kind]
    const kills = Array.from({ length: scene.total }, (_, at) => at + 1).filter((n) => n % step === index % step)
    const outcomes: string[] = []
    for (const { n, path } of await killedAt(scene, [1, ...kills, scene.total]))
      outcomes.push(await scene.outcome(path, `killed at ${n} of ${scene.total}`))
    expect(outcomes.length).toBeGreaterThan(kills.length)
    expect(outcomes.at(-1)).toBe('after')
    for (const [mode, share] of failures[kind]) {
      const n = Math.floor(share * scene.total)
      const path = await scene.copy('faulty')
      const { error } = await withFault(mode, n, () => scene.run(path))
      // A disk that fails once is no reason to leave anything to the next job.
      if (mode === 'ENOSPC') expect(await readInterruption(path), `${mode} at ${n}`).toBeNull()
      const outcome = await scene.outcome(path, `${mode} at ${n} of ${scene.total}`)
      if (error === null) expect(outcome, `${mode} at ${n}`).toBe('after')
    }
  })
})

test.each(storeKinds)(
  'an operation counts in the trash of a store.%s when everything else of it is there: its manifest comes last',
  async (kind) => {
    const scene = await sceneOf(kind, 'remove run')
    const path = await scene.copy('watched')
    const operations = await expectFlushed(path, 'a removal', () => scene.run(path))
    const coming = operations.filter((operation) => ['write', 'rename', 'link', 'copy'].includes(operation.kind))
    const names = coming.map((operation) => operation.path).filter((name) => name.includes('/trash/'))
    expect(names.length).toBeGreaterThan(4)
    expect(names.at(-1)).toMatch(/\/manifest\.json$/)
  },
)

test.each(storeKinds)('K6: stopped again during recovery in a store.%s', { timeout: 600_000 }, async (kind) => {
  for (const name of ['remove run', 'restore'] as const) {
    const scene = await sceneOf(kind, name)
    const shares = [0.5, 0.9].map((share) => Math.floor(scene.total * share))
    for (const { n, path } of (await killedAt(scene, shares)).filter((killed) => shares.includes(killed.n))) {
      await forgetLock(path)
      const recoverAgain = async (mode: FaultMode, again: number) => {
        const twice = await copyOf(path, 'twice')
        return { twice, ...(await withFault(mode, again, () => recoverWorkspace(twice))) }
      }
      const { stops } = await recoverAgain('count', 0)
      for (const again of stops.filter((_, index) => index % 5 === 2)) {
        const { twice } = await recoverAgain('stop', again)
        await scene.outcome(twice, `${name}: killed at ${n}, then stopped at ${again} of the recovery`)
      }
    }
  }
})

/** Before and after what cannot be taken back any more, for each kind of store. */
const deaths: Record<StoreKind, readonly (readonly ['kill' | 'torn', number])[]> = {
  duckdb: [
    ['kill', 0.4],
    ['torn', 0.95],
  ],
  sqlite: [
    ['torn', 0.6],
    ['kill', 0.8],
  ],
}

test.each(storeKinds)(
  'K1, K2: SIGKILL and torn writes in a store.%s: the lock is taken over, and the job is carried through or undone',
  {
    timeout: 600_000,
  },
  async (kind) => {
    for (const name of ['remove run', 'restore', 'compact'] as const) {
      const scene = await sceneOf(kind, name)
      for (const [mode, share] of deaths[kind]) {
        const last = Math.max(1, Math.floor(share * scene.total))
        const n = mode === 'torn' ? (scene.writes.findLast((write) => write <= last) ?? last) : last
        const path = await scene.copy('killed')
        expect(await scene.runInChild(path, mode, n)).toBeNull()
        expect(await readdir(join(path, '.nirs-workspace'))).toContain('lock')
        await scene.outcome(path, `${name}: killed at ${n} of ${scene.total}`)
      }
    }
  },
)
