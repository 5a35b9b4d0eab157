import { expect, test } from 'vitest'
import { cutEverywhere, failEverywhere, faultModes, killAtAnyTime, PointCount, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { makeFlushScene, makeVacuumScene } from './testing/store-scene.ts'

const count = new PointCount()
const scenes = { flush: makeFlushScene, vacuum: makeVacuumScene }
const jobs = ['flush', 'vacuum'] as const

test.each(jobs)('%s: every fault at every operation: it is whole or has not been', async (job) => {
  await using scene = await scenes[job]()
  expect(scene.total).toBeGreaterThan(15)
  count.add(job, await failEverywhere(scene, () => faultModes))
})

test.each(jobs)('%s: stopped again at every operation of the recovery', async (job) => {
  await using scene = await scenes[job]()
  count.add(job, await stopRecoveryEverywhere(scene, [0.5, 0.7, 0.8, 0.9]))
})

test.each(jobs)('%s: SIGKILL at any time, inside what DuckDB writes too', async (job) => {
  await using scene = await scenes[job]()
  count.add(job, await killAtAnyTime(scene, 30, 300, 1200))
})

// What a flush writes into the store DuckDB itself flushes, at the end of the transaction.
test.each([
  ['flush', true],
  ['vacuum', false],
] as const)('%s: the power is cut after every operation', async (job, withEngine) => {
  await using scene = await scenes[job]()
  count.add(job, await cutEverywhere(scene, () => true, withEngine))
})

test('no job has had fewer than 200 fault points', () => count.expectEnough())
