import { test } from 'vitest'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { cutEverywhere, failEverywhere, faultModes, PointCount, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { sceneOf } from './testing/fault-scene.ts'
import { type StoreKind, storeKinds } from './testing/maintenance-fixture.ts'
import { type FaultJobName, faultJobNames } from './testing/maintenance-jobs.ts'

const cases = faultJobNames.flatMap((name) => storeKinds.map((kind): [StoreKind, FaultJobName] => [kind, name]))
const count = new PointCount()

// Jobs of few operations meet every fault at each of them, the others a stop and one of the rest in turn.
const fewOperations = 20
const inTurn = faultModes.filter((mode) => mode !== 'stop')
const modesAt = (total: number, n: number): readonly FaultMode[] =>
  total < fewOperations ? faultModes : ['stop', inTurn[n % inTurn.length] ?? 'torn']

test.each(cases)('store.%s, %s: killed, stopped, torn, full or failing at every operation', async (kind, name) => {
  const scene = await sceneOf(kind, name)
  count.add(name, await failEverywhere(scene, (n) => modesAt(scene.total, n)))
})

test.each(cases)('store.%s, %s: the power is cut after every operation', async (kind, name) => {
  const scene = await sceneOf(kind, name)
  count.add(name, await cutEverywhere(scene))
})

test.each(cases)('store.%s, %s: stopped again at every operation of the recovery', async (kind, name) => {
  const scene = await sceneOf(kind, name)
  count.add(name, await stopRecoveryEverywhere(scene, scene.total < fewOperations ? [0.3, 0.5, 0.7, 0.9] : [0.5, 0.9]))
})

test('no job has had fewer than 200 fault points', () => count.expectEnough())
