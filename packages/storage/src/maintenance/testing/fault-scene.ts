import { cp, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { setFaultHook } from '../../files/fault-point.ts'
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

export interface MaintenanceScene extends FaultScene {
  /** Numbers of the operations that write a whole file. */
  readonly writes: readonly number[]
}

const child = join(import.meta.dirname, 'maintenance-child.ts')

const folders: string[] = []
const workspaces = new Map<StoreKind, Promise<string>>()
const scenes = new Map<string, Promise<MaintenanceScene>>()
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

/** One job in one kind of store, made when a test file first asks for it. It goes after the last test of the file. */
export const sceneOf = (kind: StoreKind, name: FaultJobName): Promise<MaintenanceScene> =>
  fromMap(scenes, `${kind} ${name}`, () => makeScene(kind, name))

const fromMap = <Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value => {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

const newFolder = async (): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nirs-workspace-fault-')))
  folders.push(folder)
  return folder
}

const makeScene = async (kind: StoreKind, name: FaultJobName): Promise<MaintenanceScene> => {
  const folder = await newFolder()
  const original = join(folder, 'original')
  await cp(await fromMap(workspaces, kind, () => busyWorkspace(kind)), original, { recursive: true, preserveTimestamps: true })
  const job = faultJobs[name]
  await job.prepare(original)
  const stateAt = onceForSame(stateOf)
  const { copy, before, after, total, stops, writes } = await measureScene(folder, original, job.run, stateAt)
  return {
    name: `${name} in store.${kind}`,
    total,
    stops,
    writes,
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

const busyWorkspace = async (kind: StoreKind): Promise<string> => {
  const path = await newFolder()
  await makeBusyWorkspace(path, kind)
  return path
}

/** The disk of a workspace as a process leaves it that is killed before operation n. */
export interface KilledAt {
  readonly n: number
  readonly path: string
}

/** What kills before each of these operations leave, and one after the last: copies that are made during a single run. */
export const killedAt = async (scene: FaultScene, numbers: readonly number[]): Promise<readonly KilledAt[]> => {
  const running = await scene.copy('running')
  const disks: KilledAt[] = []
  const keep = async (n: number) => disks.push({ n, path: await copyOf(running, `before-${n}`) })
  let n = 0
  setFaultHook(async () => {
    n += 1
    if (numbers.includes(n)) await keep(n)
  })
  try {
    await scene.run(running)
  } finally {
    setFaultHook(undefined)
  }
  await keep(n + 1)
  return disks
}

/** A copy of a workspace beside it. */
export const copyOf = async (path: string, name: string): Promise<string> => {
  const target = join(path, '..', name)
  await rm(target, { recursive: true, force: true })
  await cp(path, target, { recursive: true, preserveTimestamps: true })
  return target
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
