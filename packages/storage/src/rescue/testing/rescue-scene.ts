import { cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { recoverWorkspace } from '../../migration/recover-workspace.ts'
import { filesOf, forgetLock, type Scratch } from '../../testing/fault-oracle.ts'
import { type FaultScene, measureScene, runFaulty } from '../../testing/fault-scene.ts'
import { expectFlushed } from '../../testing/flush-order.ts'

import { type MadePrediction, makeParquet } from '../../testing/make-store.ts'
import { makeUpgraded } from '../../testing/make-upgraded.ts'
import { rescueArrays } from '../rescue-arrays.ts'

/** A workspace whose backup has the arrays of two datasets that share a file; of one row the file has arrays itself. */
export const rescueFixture = async (): Promise<Scratch> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-rescue-')))
  const original = join(path, 'original')
  const predictions = ['soil pH', 'soil_pH'].flatMap((dataset) =>
    Array.from({ length: 5 }, (_, index): MadePrediction => ({ id: `${dataset}-${index}`, dataset, fold: String(index), y: [index, -0] })),
  )
  await mkdir(join(original, 'arrays'), { recursive: true })
  await makeUpgraded(original, predictions, predictions)
  await makeParquet(join(original, 'arrays', 'soil_pH.parquet'), [{ id: 'soil pH-0', dataset: 'soil pH', y: [7] }])
  return {
    path,
    copy: async (name) => {
      await rm(join(path, name), { recursive: true, force: true })
      await cp(original, join(path, name), { recursive: true, preserveTimestamps: true })
      return join(path, name)
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

const run = (path: string) => rescueArrays(path, { jobId: 'fault' })

/** All files of the workspace. What a dead rescue leaves in arrays/ is no array file; the next change of arrays sweeps it. */
const stateOf = async (path: string) =>
  Object.entries(await filesOf(path)).filter(([name]) => !/^\.nirs-workspace\/(lock.*)?$|^arrays\/\.nirs-\d+-.*\.part$/.test(name))

/** The rescue of `rescueFixture`, of one file: the workspace is as before or as after, to the byte. */
export const makeRescueScene = async (): Promise<FaultScene> => {
  const scratch = await rescueFixture()
  const { copy, before, after, total, stops } = await measureScene(scratch.path, join(scratch.path, 'original'), run, stateOf)
  return {
    name: 'rescue',
    total,
    stops,
    copy,
    run,
    runInChild: (path, mode, n, milliseconds) =>
      runFaulty(join(import.meta.dirname, '..', '..', 'testing', 'fault-child.ts'), 'rescue', path, mode, n, milliseconds),
    outcome: async (path, about) => {
      await forgetLock(path)
      await expectFlushed(path, about, () => recoverWorkspace(path))
      const state = await stateOf(path)
      const isAfter = JSON.stringify(state) === JSON.stringify(after)
      expect(state, about).toEqual(isAfter ? after : before)
      return isAfter ? 'after' : 'before'
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}
