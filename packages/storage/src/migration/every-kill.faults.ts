import { expect, test } from 'vitest'
import { countPoints, cutEverywhere, failEverywhere, faultModes, killAtAnyTime, stopRecoveryEverywhere } from '../testing/fault-loops.ts'
import { makeMigrationScene, makeRollbackScene } from './testing/migration-scene.ts'

const count = countPoints()
const scenes = { migrate: makeMigrationScene, rollback: makeRollbackScene }
const jobs = ['migrate', 'rollback'] as const
const cases = jobs.flatMap((job) => faultModes.map((mode) => [job, mode] as const))

test.each(cases)('%s: %s at every operation', async (job, mode) => {
  await using scene = await scenes[job]()
  expect(scene.total).toBeGreaterThan(20)
  count(job, await failEverywhere(scene, () => [mode]))
})

test.each(jobs)('%s: the power is cut after every operation', async (job) => {
  await using scene = await scenes[job]()
  count(job, await cutEverywhere(scene))
})

test.each(jobs)('%s: stopped again at every operation of the recovery', async (job) => {
  await using scene = await scenes[job]()
  count(job, await stopRecoveryEverywhere(scene, [0.3, 0.6, 0.8, 0.9, 1]))
})

test.each(jobs)('%s: SIGKILL at any time, inside what DuckDB writes too', async (job) => {
  await using scene = await scenes[job]()
  count(job, await killAtAnyTime(scene, job === 'migrate' ? 100 : 40, 150, 1650))
})
