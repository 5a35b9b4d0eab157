import { afterAll, expect, test } from 'vitest'
import type { FaultMode } from '../testing/fault-hooks.ts'
import { makeScene, withFault } from './testing/fault-scene.ts'
import { type StoreKind, storeKinds } from './testing/maintenance-fixture.ts'
import { type FaultJobName, faultJobNames } from './testing/maintenance-jobs.ts'
import { runInChild } from './testing/run-child.ts'

const points = new Map<FaultJobName, number>()
afterAll(() => {
  for (const [name, count] of points) process.stdout.write(`${name}: ${count} fault points\n`)
})

const cases = faultJobNames.flatMap((name) => storeKinds.map((kind): [StoreKind, FaultJobName] => [kind, name]))
const inChild: FaultMode[] = ['kill', 'torn']
const inTurn: FaultMode[] = ['torn', 'ENOSPC', 'EIO', 'EFBIG', 'ENOSPC-sticky', 'EIO-sticky']

test.each(cases)('store.%s, %s: killed and stopped before every operation, torn, full or failing in turn', async (kind, name) => {
  await using scene = await makeScene(kind, name)
  for (let n = 1; n <= scene.total; n++) {
    for (const mode of ['kill', 'stop', inTurn[n % inTurn.length] ?? 'torn'] as const) {
      const path = await scene.copy('faulty')
      if (inChild.includes(mode)) await runInChild(name, path, mode, n)
      else await withFault(mode, n, () => scene.run(path))
      await scene.outcome(path, `${mode} at ${n} of ${scene.total}`)
      points.set(name, (points.get(name) ?? 0) + 1)
    }
  }
  expect(points.get(name)).toBeGreaterThan(0)
})
