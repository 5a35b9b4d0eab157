import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diskModels, recordJob, replayCut } from '../testing/fault-power.ts'
import { makeScene } from './testing/fault-scene.ts'
import { storeKinds } from './testing/maintenance-fixture.ts'
import type { FaultJobName } from './testing/maintenance-jobs.ts'

const jobs: FaultJobName[] = ['remove run', 'remove dataset', 'artifact gc', 'restore', 'restore models', 'empty trash']
const step = 8
const cases = jobs.flatMap((name, index) => storeKinds.map((kind) => [kind, name, index] as const))

/** What the store's own engine flushes counts as flushed with the store, when this program flushes it after closing it. */
test.each(cases)('K4: the power is cut in a store.%s: %s', { timeout: 900_000 }, async (kind, name, index) => {
  await using scene = await makeScene(kind, name)
  const root = await scene.copy('powered')
  const before = await scene.copy('before-power-cut')
  const moved = await recordJob(root, before, () => scene.run(root))
  const cut = join(root, '..', 'cut')
  for (const model of diskModels) {
    for (let count = moved.length; count > 0; count -= count === moved.length ? 1 + (index % step) : step) {
      await rm(cut, { recursive: true, force: true })
      await replayCut(before, moved, count, model, cut)
      const last = moved[count - 1]
      const outcome = await scene.outcome(cut, `${model}, ${count} of ${moved.length}: ${last?.kind} ${last?.path}`)
      if (count === moved.length) expect(outcome, model).toBe('after')
    }
  }
})
