import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openFilesBelow } from '../../arrays/testing/tree-hash.ts'
import type { DiskOperation } from '../../files/fault-point.ts'
import { arraysOf, faultFixture, filesOf, forgetLock, onceForSame, type Scratch } from '../../testing/fault-oracle.ts'
import { type FaultScene, runFaulty, withFault } from '../../testing/fault-scene.ts'
import { expectFlushed } from '../../testing/flush-order.ts'
import { readInterruption } from '../read-interruption.ts'
import { recoverWorkspace } from '../recover-workspace.ts'
import { rollbackMigration } from '../rollback-migration.ts'
import { runMigration } from '../run-migration.ts'

const child = join(import.meta.dirname, '..', '..', 'testing', 'fault-child.ts')
// As the child calls it.
const jobId = 'fault'
const migrate = (path: string) => runMigration(path, { jobId })

export interface MigrationScene extends FaultScene {
  /** What kind each operation of an undisturbed run is. */
  readonly kinds: readonly DiskOperation['kind'][]
}

/** These operations of a job, by their numbers from 1, the first of every kind that is not among them, and the last. */
export const withEveryKind = ({ kinds }: MigrationScene, chosen: readonly number[]): number[] => {
  const seen = new Set(chosen.map((n) => kinds[n - 1]))
  const firsts = [...new Set(kinds)].filter((kind) => !seen.has(kind)).map((kind) => kinds.indexOf(kind) + 1)
  return [...new Set([...chosen, ...firsts, kinds.length])].sort((a, b) => a - b)
}

/** The migration of `faultFixture`: before, the workspace is legacy to the byte. */
export const makeMigrationScene = async (): Promise<MigrationScene> => {
  const scratch = await faultFixture()
  const stateOf = await makeOracle(scratch)
  const counted = await withFault('count', 0, async () => migrate(await scratch.copy('counted')))
  return {
    name: 'migrate',
    total: counted.operations,
    stops: counted.stops,
    kinds: counted.kinds,
    copy: scratch.copy,
    run: migrate,
    runInChild: (path, mode, n, milliseconds) => runFaulty(child, 'migrate', path, mode, n, milliseconds),
    outcome: async (path, about) => ((await stateOf(path, about)) === 'legacy' ? 'before' : 'after'),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

/** Rolling that migration back: afterwards, the workspace is legacy to the byte. */
export const makeRollbackScene = async (): Promise<MigrationScene> => {
  const scratch = await faultFixture()
  const stateOf = await makeOracle(scratch)
  const migrated = await scratch.copy('migrated')
  await migrate(migrated)
  const copy = async (name: string) => {
    const path = join(scratch.path, name)
    await rm(path, { recursive: true, force: true })
    await cp(migrated, path, { recursive: true, preserveTimestamps: true })
    return path
  }
  const run = (path: string) => rollbackMigration(path, { jobId: `${jobId}-back` })
  const counted = await withFault('count', 0, async () => run(await copy('counted')))
  return {
    name: 'rollback',
    total: counted.operations,
    stops: counted.stops,
    kinds: counted.kinds,
    copy,
    run,
    runInChild: (path, mode, n, milliseconds) => runFaulty(child, 'rollback', path, mode, n, milliseconds),
    outcome: async (path, about) => ((await stateOf(path, about)) === 'legacy' ? 'after' : 'before'),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

/** Recovers: the workspace is legacy to the byte, or migrated; nothing of the job is left; all arrays are as they were. */
const makeOracle = async (scratch: Scratch) => {
  const reference = await scratch.copy('reference')
  const arraysAt = onceForSame(arraysOf)
  const arrays = await arraysAt(reference)
  const legacy = await filesOf(reference)
  return async (path: string, about: string): Promise<'legacy' | 'migrated'> => {
    expect(await openFilesBelow(path), about).toEqual([])
    await forgetLock(path)
    await expectFlushed(path, about, () => recoverWorkspace(path))
    const files = await filesOf(path)
    const names = Object.keys(files)
    expect(
      names.filter((name) => /staging|\.new|journal|lock|\.tmp/.test(name)),
      about,
    ).toEqual([])
    expect(await readInterruption(path), about).toBeNull()
    expect(await arraysAt(path), about).toEqual(arrays)
    const isMigrated = names.some((name) => name.endsWith('.bak'))
    if (!isMigrated) expect(Object.fromEntries(Object.entries(files).filter(([name]) => !isKeptByRollback(name))), about).toEqual(legacy)
    return isMigrated ? 'migrated' : 'legacy'
  }
}

// A rolled back migration leaves its proof, under another name.
const isKeptByRollback = (name: string) =>
  new RegExp(`^\\.nirs-workspace/(migrations/(${jobId}/(migration-proof\\.rolled-back\\.json)?)?)?$`).test(name)
