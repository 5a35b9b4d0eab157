import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openFilesBelow } from '../../arrays/testing/tree-hash.ts'
import { forgetLock } from '../../testing/fault-oracle.ts'
import { type FaultScene, measureScene, runFaulty } from '../../testing/fault-scene.ts'
import { emptyTrash } from '../../trash/empty-trash.ts'
import { vacuumWorkspace } from '../../vacuum/vacuum-store.ts'
import { WorkspaceStore } from '../workspace-store.ts'
import { beginLineage, faultScene, flushAgain, foldsOf, predictionOf } from './store-fixture.ts'

const child = join(import.meta.dirname, 'store-child.ts')

/** Saving predictions again, of which some have arrays. */
export const makeFlushScene = (): Promise<FaultScene> => makeScene('flush', faultScene, flushAgain, foldsOf)

/** Rewriting a store most of which nothing uses any more. Its rows say nothing of whether it was rewritten: its size does. */
export const makeVacuumScene = (): Promise<FaultScene> =>
  makeScene('vacuum', hollowStore, vacuumWorkspace, async (path) => {
    const folds = await foldsOf(path)
    const { size } = await stat(join(path, 'store.duckdb'))
    return { folds, isSmall: size < 9e6 }
  })

const hollowStore = async (path: string): Promise<void> => {
  const store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store)
  const ids = Array.from({ length: 300 }, (_, fold) => `p${fold}`)
  for (const [fold, prediction_id] of ids.entries()) {
    const best_params = { note: randomBytes(4096).toString('hex') }
    store.bufferPrediction(predictionOf(lineage, { fold_id: String(fold), prediction_id, best_params }))
  }
  await store.flush()
  await store.deletePredictions(ids.slice(0, 290))
  await store.close()
  await emptyTrash(path, { jobId: 'emptied' })
}

const makeScene = async (
  name: 'flush' | 'vacuum',
  prepare: (path: string) => Promise<unknown>,
  run: (path: string) => Promise<unknown>,
  stateOf: (path: string) => Promise<Record<string, unknown>>,
): Promise<FaultScene> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-store-')))
  const original = join(folder, 'original')
  await prepare(original)
  const { copy, before, after, total, stops } = await measureScene(folder, original, run, stateOf)
  expect(after).not.toEqual(before)
  return {
    name,
    total,
    stops,
    copy,
    run,
    runInChild: (path, mode, n, milliseconds) => runFaulty(child, name, path, mode, n, milliseconds),
    outcome: async (path, about) => {
      expect(await openFilesBelow(path), about).toEqual([])
      await forgetLock(path)
      // The next opening for writing recovers.
      const state = await stateOf(path)
      const isAfter = JSON.stringify(state) === JSON.stringify(after)
      expect(state, about).toEqual(isAfter ? after : before)
      expect(await leftIn(path), about).toEqual([])
      return isAfter ? 'after' : 'before'
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/**
 * Arrays that were taken back are marked as removed. What lies in arrays/ under the number of a process that still runs, this one, is not
 * swept; half of a lock that was never taken is, once it is old enough to be nobody's.
 */
const leftIn = async (root: string): Promise<string[]> => {
  const kept = new RegExp(
    `^(arrays|arrays/(wheat\\.parquet|_tombstones\\.json|\\.(nirs-)?${process.pid}-.*)|store\\.duckdb|\\.nirs-workspace|\\.nirs-workspace/lock\\.part-[^/]*)$`,
  )
  return (await readdir(root, { recursive: true })).filter((name) => !kept.test(name))
}
