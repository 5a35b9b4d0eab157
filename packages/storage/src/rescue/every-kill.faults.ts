import { afterAll, beforeAll, test } from 'vitest'
import { cutEverywhere, failEverywhere, faultModes, killAtAnyTime, PointCount } from '../testing/fault-loops.ts'
import type { FaultScene } from '../testing/fault-scene.ts'
import { makeRescueScene } from './testing/rescue-scene.ts'

const count = new PointCount()
let scene: FaultScene
beforeAll(async () => {
  scene = await makeRescueScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

test.each(faultModes)('rescue: %s at every operation', async (mode) => {
  count.add('rescue', await failEverywhere(scene, () => [mode]))
})

test('rescue: the power is cut after every operation', async () => {
  count.add('rescue', await cutEverywhere(scene))
})

test('rescue: SIGKILL at any time', async () => {
  count.add('rescue', await killAtAnyTime(scene, 60, 300, 2800))
})

test('no job has had fewer than 200 fault points', () => count.expectEnough())
