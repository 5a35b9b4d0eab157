import { expect, test } from 'vitest'
import { type StoreKind, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { cutEverywhere, failEverywhere, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { makeRowlessScene, type RowlessName, rowlessNames } from './testing/rowless-scene.ts'

const cases = rowlessNames.flatMap((name) => storeKinds.map((kind): [StoreKind, RowlessName] => [kind, name]))
const modes: FaultMode[] = ['stop', 'ENOSPC', 'EIO', 'ENOSPC-sticky', 'EIO-sticky']

test.each(cases)('store.%s, %s: stopped, full, failing or without power at every operation, and stopped again', async (kind, name) => {
  await using scene = await makeRowlessScene(kind, name)
  const failed = await failEverywhere(scene, () => modes)
  const cut = await cutEverywhere(scene)
  expect(failed + cut + (await stopRecoveryEverywhere(scene, [0.5, 0.8, 0.9]))).toBeGreaterThan(200)
})
