import { acquireWorkspaceLock, type WorkspaceLock } from '../files/workspace-lock.ts'
import type { ProgressTracker } from './job-progress.ts'
import { toMigrationError } from './migration-error.ts'
import { recoverUnderLock } from './recover-workspace.ts'
import { tellWarnings } from './tell-warnings.ts'
import type { Layout } from './workspace-layout.ts'

interface LockedJob {
  readonly jobId: string
  /** As the lock says it. */
  readonly kind: string
  /** As errors call it. Default: a migration. */
  readonly name?: string
  /** What errors say of the state in which it leaves the workspace. Default: as it was. */
  readonly untouched?: string
  /** The lock of a caller who has taken it already, and keeps it. */
  readonly lock?: WorkspaceLock | undefined
  readonly signal?: AbortSignal | undefined
  readonly progress?: ProgressTracker
  /** Its result says the warnings of what was put in order before. Default, and where it fails: the process does. */
  readonly tellsWarnings?: boolean
}

/**
 * Holds the workspace lock while a job works, after putting in order what one that died has left. Throws `workspace_busy`, and whatever
 * stops the job as one of the coded errors.
 */
export const underLock = async <T>(layout: Layout, job: LockedJob, work: (warnings: readonly string[]) => Promise<T>): Promise<T> => {
  const { jobId, kind, progress } = job
  let own: WorkspaceLock | undefined
  let untold: readonly string[] = []
  try {
    if (job.lock === undefined) own = await acquireWorkspaceLock(layout.root, { jobId, kind })
    // Not 'recover': that is what jobs are in that do nothing else and cannot be stopped.
    progress?.phase('plan', 'Looking for an unfinished job')
    untold = (await recoverUnderLock(layout)).warnings ?? []
    const result = await work(untold)
    if (job.tellsWarnings === true) untold = []
    return result
  } catch (error) {
    throw toMigrationError(error, job.signal, job.name, job.untouched)
  } finally {
    tellWarnings(untold)
    await own?.release()
  }
}
