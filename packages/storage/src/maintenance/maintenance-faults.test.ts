import { describe, expect, test } from 'vitest'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { makeScene, withFault } from './testing/fault-scene.ts'
import { type StoreKind, storeKinds } from './testing/maintenance-fixture.ts'
import { faultJobNames } from './testing/maintenance-jobs.ts'

const step = 7
const modes: FaultMode[] = ['stop', 'ENOSPC', 'stop', 'EIO-sticky']

const cases = faultJobNames.flatMap((name, index) => storeKinds.map((kind): [StoreKind, typeof name, number] => [kind, name, index]))

describe('K1, K3: stopped, or out of space, before an operation: recovery leaves the old state or the new one', () => {
  test.each(cases)('store.%s: %s', { timeout: 600_000 }, async (kind, name, index) => {
    await using scene = await makeScene(kind, name)
    const outcomes: string[] = []
    for (let n = 1 + (index % step); n <= scene.total + step; n += step) {
      const mode = modes[Math.floor(n / step) % modes.length] ?? 'stop'
      const path = await scene.copy('faulty')
      const { error } = await withFault(mode, n, () => scene.run(path))
      const outcome = await scene.outcome(path, `${mode} at ${n} of ${scene.total}`)
      if (error === null) expect(outcome, `${mode} at ${n}`).toBe('after')
      outcomes.push(outcome)
    }
    expect(outcomes.at(-1)).toBe('after')
  })
})

test.each(storeKinds)('K6: stopped again during recovery in a store.%s', { timeout: 600_000 }, async (kind) => {
  for (const name of ['remove run', 'restore'] as const) {
    await using scene = await makeScene(kind, name)
    for (const share of [0.5, 0.9]) {
      const n = Math.floor(scene.total * share)
      for (let again = 3; ; again += 8) {
        const path = await scene.copy('twice')
        await withFault('stop', n, () => scene.run(path))
        await forgetLock(path)
        const { error } = await withFault('stop', again, () => recoverWorkspace(path))
        await scene.outcome(path, `${name}: stopped at ${n}, then at ${again} of the recovery`)
        if (error === null) break
      }
    }
  }
})
