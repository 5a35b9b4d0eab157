import { cp, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readInterruption } from '../../migration/read-interruption.ts'
import { recoverWorkspace } from '../../migration/recover-workspace.ts'
import { forgetLock, onceForSame } from '../../testing/fault-oracle.ts'
import { type FaultScene, measureScene, runFaulty } from '../../testing/fault-scene.ts'
import { expectFlushed } from '../../testing/flush-order.ts'
import { listTrash } from '../../trash/list-trash.ts'
import { type Snapshot, type StoreKind, snapshot } from './maintenance-fixture.ts'
import { type FaultJobName, faultJobs, makeBusyWorkspace } from './maintenance-jobs.ts'

/** What a workspace is besides its bytes: everything a user has, and what lies in the trash. */
interface State extends Snapshot {
  readonly trash: readonly { readonly kind: string; readonly partly_restored: boolean }[]
}

const stateOf = async (path: string): Promise<State> => ({
  ...(await snapshot(path)),
  trash: (await listTrash(path)).rows.map(({ kind, partly_restored }) => ({ kind, partly_restored })),
})

const child = join(import.meta.dirname, 'maintenance-child.ts')

/** One job in one kind of store. */
export const makeScene = async (kind: StoreKind, name: FaultJobName): Promise<FaultScene> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-fault-')))
  const original = join(folder, 'original')
  await cp(await busyWorkspace(folder, kind), original, { recursive: true, preserveTimestamps: true })
  const job = faultJobs[name]
  await job.prepare(original)
  const stateAt = onceForSame(stateOf)
  const { copy, before, after, total, stops } = await measureScene(folder, original, job.run, stateAt)
  return {
    name: `${name} in store.${kind}`,
    total,
    stops,
    copy,
    run: job.run,
    runInChild: (path, mode, n, milliseconds) => runFaulty(child, name, path, mode, n, milliseconds),
    outcome: async (path, about) => {
      await forgetLock(path)
      await expectFlushed(path, about, () => recoverWorkspace(path))
      expect(await readInterruption(path), about).toBeNull()
      expect(await leftovers(path), about).toEqual([])
      const state = await stateAt(path)
      const isAfter = JSON.stringify(state) === JSON.stringify(after)
      expect(state, about).toEqual(isAfter ? after : before)
      return isAfter ? 'after' : 'before'
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

const busyWorkspace = async (folder: string, kind: StoreKind): Promise<string> => {
  const path = join(folder, 'made')
  await mkdir(path)
  await makeBusyWorkspace(path, kind)
  return path
}

/** Files that only a job under way may have. What lies in arrays/ under the number of a process that still runs, this one, is not swept. */
const leftovers = async (path: string): Promise<string[]> => {
  const names = (await readdir(path, { recursive: true })).map(String)
  const folders = (await listTrash(path)).rows.map(({ operation_id }) => operation_id)
  return names.filter((name) => {
    const operation = /^\.nirs-workspace\/trash\/([^/]+)/.exec(name)?.[1]
    const isStray = operation !== undefined && !folders.includes(operation)
    if (new RegExp(`^arrays/\\.(nirs-)?${process.pid}-`).test(name)) return false
    return isStray || /journal\.json|\/lock|\.tmp$|\.part$|restoring\.json|part\.parquet|\.staging/.test(name)
  })
}
