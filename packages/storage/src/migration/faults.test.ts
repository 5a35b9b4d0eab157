import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { openFilesBelow } from '../arrays/testing/tree-hash.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { type FaultMode, faultHook } from '../testing/fault-hooks.ts'
import { arraysOf, faultFixture, filesOf, forgetLock, type Scratch } from '../testing/fault-oracle.ts'
import { diskModels, recordOperations, replayCut } from '../testing/fault-power.ts'
import { readInterruption } from './read-interruption.ts'
import { recoverWorkspace } from './recover-workspace.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { runMigration } from './run-migration.ts'

let scratch: Scratch
let arrays: Record<string, string>
let legacy: Record<string, string>
beforeAll(async () => {
  scratch = await faultFixture()
  const path = await scratch.copy('reference')
  arrays = await arraysOf(path)
  legacy = await filesOf(path)
})
afterAll(() => scratch[Symbol.asyncDispose]())
afterEach(() => setFaultHook(undefined))

/** Runs a job with a fault at operation n; how many operations it came to, and what it failed with. */
const withFault = async (mode: FaultMode, n: number, job: () => Promise<unknown>) => {
  const { hook, operations } = faultHook(mode, n)
  setFaultHook(hook)
  try {
    await job()
    return { operations: operations.length, error: null }
  } catch (error) {
    return { operations: operations.length, error }
  } finally {
    setFaultHook(undefined)
  }
}

const migrate = (path: string) => runMigration(path, { jobId: 'job' })

/** After recovery: the workspace is legacy to the byte, or migrated; nothing of the job is left; all arrays are as they were. */
const expectWhole = async (path: string, about: string): Promise<'legacy' | 'migrated'> => {
  expect(await openFilesBelow(path), about).toEqual([])
  await forgetLock(path)
  await recoverWorkspace(path)
  const files = await filesOf(path)
  const names = Object.keys(files)
  const leftovers = names.filter((name) => /staging|\.new|journal|lock|\.tmp/.test(name))
  expect(leftovers, about).toEqual([])
  expect(await readInterruption(path), about).toBeNull()
  expect(await arraysOf(path), about).toEqual(arrays)
  const isMigrated = names.some((name) => name.endsWith('.bak'))
  if (!isMigrated) expect(Object.fromEntries(Object.entries(files).filter(([name]) => !isKeptByRollback(name))), about).toEqual(legacy)
  return isMigrated ? 'migrated' : 'legacy'
}

// A rolled back migration leaves its proof, under another name.
const isKeptByRollback = (name: string) => /^\.nirs-workspace\/(migrations\/(job\/(migration-proof\.rolled-back\.json)?)?)?$/.test(name)

const countOperations = async (
  job: (path: string) => Promise<unknown>,
  prepare: (path: string) => Promise<unknown> = async () => undefined,
) => {
  const path = await scratch.copy('count')
  await prepare(path)
  return (await withFault('count', 0, () => job(path))).operations
}

describe('a migration that ends before operation n', () => {
  test('K1: nothing reaches the disk from n on: recovery leaves the old state or the new one, with all arrays', {
    timeout: 600_000,
  }, async () => {
    const total = await countOperations(migrate)
    expect(total).toBeGreaterThan(40)
    const outcomes: string[] = []
    for (let n = 1; n <= total; n++) {
      const path = await scratch.copy('stopped')
      await withFault('stop', n, () => migrate(path))
      outcomes.push(await expectWhole(path, `operation ${n}`))
      if (n % 12 === 0 && outcomes.at(-1) === 'legacy') expect(await migrate(path)).toMatchObject({ verification_passed: true })
    }
    // Once the swap is done, it stays done.
    expect(outcomes.join(' ')).toMatch(/^(legacy ){20,}(legacy|migrated)( migrated)*$/)
    expect(outcomes.at(-1)).toBe('migrated')
  })

  test('K3: a full disk or a failing one at n, once or from then on: undone, coded, and the next run succeeds', {
    timeout: 600_000,
  }, async () => {
    const total = await countOperations(migrate)
    const modes: FaultMode[] = ['ENOSPC', 'EIO', 'ENOSPC-sticky', 'EFBIG']
    for (let n = 1; n <= total; n += 2) {
      const mode = modes[((n - 1) / 2) % modes.length] ?? 'ENOSPC'
      const path = await scratch.copy('full')
      const { error } = await withFault(mode, n, () => migrate(path))
      if (error !== null) expect(error, `${mode} at ${n}`).toMatchObject({ code: 'write_failed' })
      const state = await expectWhole(path, `${mode} at ${n}`)
      if (error === null) expect(state).toBe('migrated')
      if (n % 14 === 1 && state === 'legacy') expect(await migrate(path)).toMatchObject({ verification_passed: true })
    }
  })

  test('K6: stopped again during recovery, at any operation of it', { timeout: 600_000 }, async () => {
    const total = await countOperations(migrate)
    for (const n of [Math.floor(total * 0.6), total - 14, total - 7]) {
      for (let again = 4; ; again += 2) {
        const path = await scratch.copy('twice')
        await withFault('stop', n, () => migrate(path))
        await forgetLock(path)
        const { error } = await withFault('stop', again, () => recoverWorkspace(path))
        await expectWhole(path, `stopped at ${n}, then at ${again} of the recovery`)
        if (error === null) break
      }
    }
  })
})

test('a rollback that ends before operation n is finished by recovery, or has not begun', { timeout: 600_000 }, async () => {
  const back = (path: string) => rollbackMigration(path, { jobId: 'back' })
  const total = await countOperations(back, migrate)
  const migrated = await scratch.copy('migrated')
  await migrate(migrated)
  const outcomes: string[] = []
  for (let n = 1; n <= total; n++) {
    const path = join(scratch.path, 'rolled')
    await rm(path, { recursive: true, force: true })
    await cp(migrated, path, { recursive: true, preserveTimestamps: true })
    await withFault(n % 3 === 0 ? 'ENOSPC' : 'stop', n, () => back(path))
    outcomes.push(await expectWhole(path, `operation ${n} of the rollback`))
  }
  expect(outcomes[0]).toBe('migrated')
  expect(outcomes.at(-1)).toBe('legacy')
})

describe('K4: the power is cut after operation n, in four models of a disk', () => {
  const cutEverywhere = async (root: string, job: (path: string) => Promise<unknown>, expected: 'legacy' | 'migrated', step: number) => {
    const before = join(scratch.path, 'before-power-cut')
    await rm(before, { recursive: true, force: true })
    await cp(root, before, { recursive: true, preserveTimestamps: true })
    const { hook, operations } = recordOperations()
    setFaultHook(hook)
    await job(root)
    setFaultHook(undefined)
    const moved = operations.map((operation) => relocated(operation, root, before))
    for (const model of diskModels) {
      for (let count = moved.length; count > 0; count -= step) {
        const path = join(scratch.path, 'cut')
        await replayCut(before, moved, count, model, path)
        const state = await expectWhole(path, `${model}, ${count} of ${moved.length}: ${moved[count - 1]?.kind} ${moved[count - 1]?.path}`)
        if (count === moved.length) expect(state).toBe(expected)
      }
    }
  }

  const relocated = <T extends { path: string; from?: string }>(operation: T, from: string, to: string): T => ({
    ...operation,
    path: to + operation.path.slice(from.length),
    ...(operation.from === undefined ? {} : { from: to + operation.from.slice(from.length) }),
  })

  test('a migration', { timeout: 600_000 }, async () => cutEverywhere(await scratch.copy('power'), migrate, 'migrated', 1))

  test('a rollback', { timeout: 600_000 }, async () => {
    const path = await scratch.copy('power-back')
    await migrate(path)
    await cutEverywhere(path, (root) => rollbackMigration(root, { jobId: 'back' }), 'legacy', 1)
  })
})

describe('a process that is really killed', () => {
  const run = promisify(execFile)
  const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })
  const child = join(import.meta.dirname, '..', 'testing', 'fault-child.ts')

  test('K1, K2: SIGKILL and torn writes: the lock is taken over, and the next migration succeeds', { timeout: 600_000 }, async () => {
    const path = await scratch.copy('counted')
    const { stdout } = await run(process.execPath, ['--no-warnings', child, 'migrate', path, 'count', '0'])
    const { operations } = Outcome.parse(JSON.parse(stdout))
    const points = [0.15, 0.5, 0.8, 0.9, 1].map((share) => Math.max(1, Math.floor(share * operations) - 1))
    for (const [index, n] of points.entries()) {
      const killed = await scratch.copy('killed')
      const mode = index % 2 === 0 ? 'kill' : 'torn'
      await expect(run(process.execPath, ['--no-warnings', child, 'migrate', killed, mode, String(n)])).rejects.toMatchObject({
        signal: 'SIGKILL',
      })
      expect(existsSync(join(killed, '.nirs-workspace', 'lock'))).toBe(true)
      const interruption = await readInterruption(killed)
      if (interruption !== null) expect(interruption).toMatchObject({ job_id: 'fault', kind: 'migrate' })
      await recoverWorkspace(killed)
      expect(await arraysOf(killed)).toEqual(arrays)
      expect((await readdir(killed)).filter((name) => name.endsWith('.new'))).toEqual([])
    }
  })
})
