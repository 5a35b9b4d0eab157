import { expect, test } from 'vitest'
import { readInterruption } from '../migration/read-interruption.ts'
import { withFault } from '../testing/fault-scene.ts'
import { makeRowlessScene, rowlessNames } from './testing/rowless-scene.ts'

/** The end of a restore, where it tidies up; `npm run test:faults` takes all of it. */
const last = 10

test.each(rowlessNames)('a restore that brings back no row is done or undone, wherever it fails at its end: %s', async (name) => {
  await using scene = await makeRowlessScene('sqlite', name)
  const outcomes = new Set<string>()
  for (let n = scene.total - last; n <= scene.total; n++) {
    const mode = scene.stops.includes(n) && n % 2 === 0 ? 'stop' : 'EIO'
    const path = await scene.copy('faulty')
    await withFault(mode, n, () => scene.run(path))
    // A disk that fails once is no reason to leave anything to the next job.
    if (mode === 'EIO') expect(await readInterruption(path), `${mode} at ${n}`).toBeNull()
    outcomes.add(await scene.outcome(path, `${mode} at ${n} of ${scene.total}`))
  }
  expect(outcomes).toContain('after')
})
