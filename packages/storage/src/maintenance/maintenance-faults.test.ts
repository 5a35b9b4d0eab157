import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readInterruption } from '../migration/read-interruption.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { recoverStopped } from '../testing/fault-loops.ts'
import { withFault } from '../testing/fault-scene.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { makeScene } from './testing/fault-scene.ts'
import { type StoreKind, storeKinds } from './testing/maintenance-fixture.ts'
import { faultJobNames } from './testing/maintenance-jobs.ts'

/** Operations from one fault to the next; `npm run test:faults` takes every one. The steps of a store.sqlite differ only where its rows go. */
const steps: Record<StoreKind, number> = { duckdb: 9, sqlite: 18 }
const modes: FaultMode[] = ['stop', 'ENOSPC', 'stop', 'EIO-sticky']

const cases = faultJobNames.flatMap((name, index) => storeKinds.map((kind): [StoreKind, typeof name, number] => [kind, name, index]))

describe('K1, K3: stopped, or out of space, before an operation: recovery leaves the old state or the new one', () => {
  test.each(cases)('store.%s: %s', { timeout: 600_000 }, async (kind, name, index) => {
    await using scene = await makeScene(kind, name)
    const outcomes: string[] = []
    const step = steps[kind]
    for (let n = 1 + (index % step); n <= scene.total + step; n += step) {
      const mode = modes[Math.floor(n / step) % modes.length] ?? 'stop'
      const path = await scene.copy('faulty')
      const { error } = await withFault(mode, n, () => scene.run(path))
      // A disk that fails once is no reason to leave anything to the next job.
      if (mode === 'ENOSPC') expect(await readInterruption(path), `${mode} at ${n}`).toBeNull()
      const outcome = await scene.outcome(path, `${mode} at ${n} of ${scene.total}`)
      if (error === null) expect(outcome, `${mode} at ${n}`).toBe('after')
      outcomes.push(outcome)
    }
    expect(outcomes.at(-1)).toBe('after')
  })
})

test.each(storeKinds)(
  'an operation counts in the trash of a store.%s when everything else of it is there: its manifest comes last',
  async (kind) => {
    await using scene = await makeScene(kind, 'remove run')
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
    await using scene = await makeScene(kind, name)
    for (const share of [0.5, 0.9]) {
      const n = Math.floor(scene.total * share)
      const { stops } = await recoverStopped(scene, n, 'count', 0)
      for (const again of stops.filter((_, index) => index % 5 === 2)) {
        const { path } = await recoverStopped(scene, n, 'stop', again)
        await scene.outcome(path, `${name}: stopped at ${n}, then at ${again} of the recovery`)
      }
    }
  }
})

test.each(storeKinds)(
  'K1, K2: SIGKILL and torn writes in a store.%s: the lock is taken over, and the job is carried through or undone',
  {
    timeout: 600_000,
  },
  async (kind) => {
    for (const name of ['remove run', 'restore', 'compact'] as const) {
      await using scene = await makeScene(kind, name)
      for (const [index, share] of [0.4, 0.6, 0.8, 0.95].entries()) {
        const n = Math.max(1, Math.floor(share * scene.total))
        const path = await scene.copy('killed')
        expect(await scene.runInChild(path, index % 2 === 0 ? 'kill' : 'torn', n)).toBeNull()
        expect(await readdir(join(path, '.nirs-workspace'))).toContain('lock')
        await scene.outcome(path, `${name}: killed at ${n} of ${scene.total}`)
      }
    }
  },
)
