import { expect, test } from 'vitest'
import { cutEverywhere, failEverywhere, faultModes, killAtAnyTime, PointCount, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { makeMigrationScene, makeRollbackScene } from './testing/migration-scene.ts'

const count = new PointCount()
const scenes = { migrate: makeMigrationScene, rollback: makeRollbackScene }
const jobs = ['migrate', 'rollback'] as const
const cases = jobs.flatMap((job) => faultModes.map((mode) => [job, mode] as const))

test.each(cases)('%s: %s at every operation', async (job, mode) => {
  await using scene = await scenes[job]()
  expect(scene.total).toBeGreaterThan(20)
  count.add(job, await failEverywhere(scene, () => [mode]))
})

test.each(jobs)('%s: the power is cut after every operation', async (job) => {
  await using scene = await scenes[job]()
  count.add(job, await cutEverywhere(scene))
})

test.each(jobs)('%s: stopped again at every operation of the recovery', async (job) => {
  await using scene = await scenes[job]()
  count.add(job, await stopRecoveryEverywhere(scene, [0.3, 0.6, 0.8, 0.9, 1]))
})

test.each(jobs)('%s: SIGKILL at any time, inside what DuckDB writes too', async (job) => {
  await using scene = await scenes[job]()
  count.add(job, await killAtAnyTime(scene, job === 'migrate' ? 100 : 40, 150, 1650))
})

test('no job has had fewer than 200 fault points', () => count.expectEnough())
