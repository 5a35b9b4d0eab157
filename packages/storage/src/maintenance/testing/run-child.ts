import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import type { FaultMode } from '../../testing/fault-hooks.ts'
import type { FaultJobName } from './maintenance-jobs.ts'

const run = promisify(execFile)
const child = join(import.meta.dirname, 'maintenance-child.ts')
const Outcome = z.object({ operations: z.number(), error: z.string().nullable() })

/** Runs a job in a process of its own with a fault at operation n; null when the process was killed. */
export const runInChild = async (name: FaultJobName, path: string, mode: FaultMode, n: number): Promise<z.infer<typeof Outcome> | null> => {
  try {
    const { stdout } = await run(process.execPath, ['--no-warnings', child, name, path, mode, String(n)])
    return Outcome.parse(JSON.parse(stdout))
  } catch (error) {
    if (error instanceof Error && 'signal' in error && error.signal === 'SIGKILL') return null
    throw error
  }
}
