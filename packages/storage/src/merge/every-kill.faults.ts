import { afterAll, beforeAll, test } from 'vitest'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { cutEverywhere, failEverywhere, killAtAnyTime, PointCount, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { type MergeScene, makeMergeScene } from './testing/merge-scene.ts'

const count = new PointCount()
let scene: MergeScene
beforeAll(async () => {
  scene = await makeMergeScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

test.each(['kill', 'torn', 'stop'] as const)('merge: %s at every operation', async (mode) => {
  count.add('merge', await failEverywhere(scene, () => [mode]))
})

const disks: readonly FaultMode[] = ['ENOSPC', 'EIO', 'EFBIG', 'ENOSPC-sticky', 'EIO-sticky']

test('merge: a full or failing disk, in turn, at every operation', async () => {
  count.add('merge', await failEverywhere(scene, (n) => [disks[n % disks.length] ?? 'EIO']))
})

test('merge: the power is cut after every operation', async () => {
  count.add('merge', await cutEverywhere(scene))
})

test('merge: stopped again at every operation of the recovery', async () => {
  count.add('merge', await stopRecoveryEverywhere(scene, [0.3, 0.6, 0.8, 0.95]))
})

test('merge: SIGKILL at any time, inside what DuckDB writes too', async () => {
  count.add('merge', await killAtAnyTime(scene, 60, 300, 2800))
})

test('no job has had fewer than 200 fault points', () => count.expectEnough())
