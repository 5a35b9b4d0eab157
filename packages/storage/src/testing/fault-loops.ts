import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { StorageError } from '../errors.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import type { FaultMode } from './fault-hooks.ts'
import { forgetLock } from './fault-oracle.ts'
import { cutDisks, type DiskModel, diskModels, recordJob } from './fault-power.ts'
import { type FaultScene, withFault } from './fault-scene.ts'

export const faultModes: FaultMode[] = ['kill', 'torn', 'stop', 'ENOSPC', 'EIO', 'EFBIG', 'ENOSPC-sticky', 'EIO-sticky']
const inChild: readonly FaultMode[] = ['kill', 'torn']
const leastPoints = 200

/** Counts the fault points of every job of a file of loops, and prints them at its end. */
export class PointCount {
  readonly #counts = new Map<string, number>()

  constructor() {
    afterAll(() => {
      for (const [job, points] of this.#counts) process.stdout.write(`${job}: ${points} fault points\n`)
    })
  }

  add(job: string, points: number): void {
    this.#counts.set(job, (this.#counts.get(job) ?? 0) + points)
  }

  /** For the last test of the file: no job had fewer than 200. */
  expectEnough(): void {
    expect(this.#counts.size).toBeGreaterThan(0)
    expect([...this.#counts].filter(([, points]) => points < leastPoints)).toEqual([])
  }
}

/**
 * These faults at every operation: a coded error, or none; what has not happened is run again, and then has. The number of points, of which
 * stops and kills that leave the same disk are looked at once.
 */
export const failEverywhere = async (scene: FaultScene, modesAt: (n: number) => readonly FaultMode[]): Promise<number> => {
  let points = 0
  for (let n = 1; n <= scene.total; n++) {
    for (const mode of modesAt(n)) {
      points++
      if (['stop', 'kill'].includes(mode) && !scene.stops.includes(n)) continue
      const about = `${scene.name}: ${mode} at ${n} of ${scene.total}`
      const path = await scene.copy('faulty')
      await failAt(scene, path, mode, n, about)
      // A stop leaves what a kill leaves: run again after one of them is enough.
      if ((await scene.outcome(path, about)) === 'before' && mode !== 'stop') {
        await scene.run(path)
        expect(await scene.outcome(path, `${about}, run again`), about).toBe('after')
      }
    }
  }
  return points
}

const failAt = async (scene: FaultScene, path: string, mode: FaultMode, n: number, about: string): Promise<void> => {
  if (inChild.includes(mode)) {
    await scene.runInChild(path, mode, n)
    return
  }
  const { error } = await withFault(mode, n, () => scene.run(path))
  if (error !== null) expect(error, about).toBeInstanceOf(StorageError)
}

/**
 * The power is cut after every operation (or after those that `isChosen` names), in four models of a disk. The number of points, of which
 * those that leave the same bytes under the same names are looked at once. `withEngine` as in `recordJob`.
 */
export const cutEverywhere = async (
  scene: FaultScene,
  isChosen: (count: number, model: DiskModel) => boolean = () => true,
  withEngine = false,
): Promise<number> => {
  const root = await scene.copy('powered')
  const original = await scene.copy('before-power-cut')
  const operations = await recordJob(root, original, () => scene.run(root), withEngine)
  const cut = join(root, '..', 'cut')
  for await (const { isAfterAll, about } of cutDisks(original, operations, cut, isChosen)) {
    const outcome = await scene.outcome(cut, `${scene.name}: ${about}`)
    if (isAfterAll) expect(outcome, about).toBe('after')
  }
  const isLooked = (count: number, model: DiskModel) => count === operations.length || isChosen(count, model)
  return diskModels.flatMap((model) => operations.filter((_, index) => isLooked(index + 1, model))).length
}

/** Stopped at some operations, then again at every operation of the recovery. The number of points. */
export const stopRecoveryEverywhere = async (scene: FaultScene, shares: readonly number[]): Promise<number> => {
  let points = 0
  for (const n of shares.map((share) => Math.max(1, Math.round(scene.total * share)))) {
    const { stops, operations } = await recoverStopped(scene, n, 'count', 0)
    for (const again of stops) {
      const { path } = await recoverStopped(scene, n, 'stop', again)
      await scene.outcome(path, `${scene.name}: stopped at ${n} of ${scene.total}, then at ${again} of the recovery`)
    }
    points += operations
  }
  return points
}

/** A job that is stopped before operation n, then a fault in its recovery. */
export const recoverStopped = async (scene: FaultScene, n: number, mode: FaultMode, again: number) => {
  const path = await scene.copy('twice')
  await withFault('stop', n, () => scene.run(path))
  await forgetLock(path)
  return { path, ...(await withFault(mode, again, () => recoverWorkspace(path))) }
}

/** SIGKILL after a random time, inside what DuckDB writes too. The number of points. */
export const killAtAnyTime = async (scene: FaultScene, rounds: number, earliest: number, latest: number): Promise<number> => {
  for (let round = 0; round < rounds; round++) {
    const milliseconds = Math.round(earliest + Math.random() * (latest - earliest))
    const path = await scene.copy('random')
    await scene.runInChild(path, 'count', 0, milliseconds)
    await scene.outcome(path, `${scene.name}: killed after ${milliseconds} ms`)
  }
  return rounds
}
