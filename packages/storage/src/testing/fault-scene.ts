import { execFile } from 'node:child_process'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { type FaultMode, faultHook } from './fault-hooks.ts'

/** One job: fresh copies of what it starts from, and the two states that it may end in. */
export interface FaultScene extends AsyncDisposable {
  readonly name: string
  /** Operations on the disk of an undisturbed run. */
  readonly total: number
  /** As `stopsIn` says, of that run. */
  readonly stops: readonly number[]
  copy(name: string): Promise<string>
  run(path: string): Promise<unknown>
  /** As `run`, in a process of its own, killed after `milliseconds` (default: never); null when it was killed. */
  runInChild(path: string, mode: FaultMode, n: number, milliseconds?: number): Promise<ChildOutcome | null>
  /** Recovers, and says which of the two states there is; anything else fails the test. */
  outcome(path: string, about: string): Promise<'before' | 'after'>
}

/**
 * Numbers of operations, from 1, before which a stop leaves another disk than a stop one operation earlier: flushing changes nothing of
 * what stands there while the power stays on.
 */
const stopsIn = (operations: readonly DiskOperation[]): number[] =>
  operations.flatMap((_, index) => (operations[index - 1]?.kind.startsWith('fsync') === true ? [] : [index + 1]))

/** Numbers of operations, from 1, that write a whole file: only of these a kill can leave a part. */
const writesIn = (operations: readonly DiskOperation[]): number[] =>
  operations.flatMap(({ kind, data, position }, index) =>
    kind === 'write' && data !== undefined && position === undefined ? [index + 1] : [],
  )

/** Runs a job with a fault at operation n; which operations it came to, and what it failed with. */
export const withFault = async (mode: FaultMode, n: number, job: () => Promise<unknown>) => {
  const { hook, operations } = faultHook(mode, n)
  setFaultHook(hook)
  let failure: unknown = null
  try {
    await job()
  } catch (error) {
    failure = error
  } finally {
    setFaultHook(undefined)
  }
  return {
    operations: operations.length,
    kinds: operations.map(({ kind }) => kind),
    stops: stopsIn(operations),
    writes: writesIn(operations),
    error: failure,
  }
}

/** Copies of `original` in `folder`; the states that an undisturbed run leads from and to, and how many operations it came to. */
export const measureScene = async <State>(
  folder: string,
  original: string,
  run: (path: string) => Promise<unknown>,
  stateOf: (path: string) => Promise<State>,
) => {
  const copy = async (target: string): Promise<string> => {
    const path = join(folder, target)
    await rm(path, { recursive: true, force: true })
    await cp(original, path, { recursive: true, preserveTimestamps: true })
    return path
  }
  const before = await stateOf(await copy('before'))
  const done = await copy('after')
  const { operations, stops, writes } = await withFault('count', 0, () => run(done))
  return { copy, before, after: await stateOf(done), total: operations, stops, writes }
}

const ChildOutcome = z.object({ operations: z.number(), error: z.string().nullable() })
export type ChildOutcome = z.infer<typeof ChildOutcome>

const execute = promisify(execFile)

/** Runs `child <job> <workspace> <mode> <n>`; after `milliseconds` (default: never) it is killed. Null when it was killed. */
export const runFaulty = async (
  child: string,
  job: string,
  path: string,
  mode: FaultMode,
  n: number,
  milliseconds = 0,
): Promise<ChildOutcome | null> => {
  const options = { killSignal: 'SIGKILL', timeout: milliseconds } as const
  try {
    const { stdout } = await execute(process.execPath, ['--no-warnings', child, job, path, mode, String(n)], options)
    return ChildOutcome.parse(JSON.parse(stdout))
  } catch (error) {
    if (error instanceof Error && 'signal' in error && error.signal === 'SIGKILL') return null
    throw error
  }
}
