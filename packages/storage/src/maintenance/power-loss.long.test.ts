import { expect, test } from 'vitest'
import { cutEverywhere } from '../testing/fault-loops.ts'
import { sceneOf } from './testing/fault-scene.ts'
import { storeKinds } from './testing/maintenance-fixture.ts'
import type { FaultJobName } from './testing/maintenance-jobs.ts'

const jobs: FaultJobName[] = ['remove run', 'remove dataset', 'artifact gc', 'restore', 'restore models', 'empty trash']
const step = 8
const cases = jobs.flatMap((name, index) => storeKinds.map((kind) => [kind, name, index] as const))

/** What the store's own engine flushes counts as flushed with the store, when this program flushes it after closing it. */
test.each(cases)('K4: the power is cut in a store.%s: %s', { timeout: 900_000 }, async (kind, name, index) => {
  const scene = await sceneOf(kind, name)
  expect(await cutEverywhere(scene, (count) => count % step === index % step)).toBeGreaterThan(0)
})
