import { setTimeout as sleep } from 'node:timers/promises'
import { readInterruption } from '@nirs-workspace/storage'
import { JobKind } from '@nirs-workspace/types'
import type { Log } from '../log.ts'
import { isAlive } from '../processes/is-alive.ts'
import type { OpenedWorkspace } from '../workspaces/opened-workspace.ts'
import type { Jobs } from './jobs.ts'

const orphanPollMs = 250
const orphanWaitMs = 120_000

/**
 * Brings every job to an end that an earlier server left without one: told by its own last word if it left one, otherwise by a process
 * that finishes or undoes what it had begun.
 */
export const recoverJobs = async (jobs: Jobs, log: Log): Promise<void> => {
  for (const { job, pid } of jobs.abandoned()) {
    try {
      await waitForOrphan(() => jobs.readOutcome(job.job_id) !== undefined, pid)
      const outcome = jobs.readOutcome(job.job_id)
      if (outcome !== undefined) jobs.finish(job.job_id, outcome)
      else jobs.start({ kind: job.kind, workspace: { id: job.workspace_id, path: job.workspace_path }, recoverId: job.job_id })
    } catch (error) {
      log.error('a job of an earlier server could not be brought to its end', { job_id: job.job_id, error })
    }
  }
}

/** The same for what a killed command line has left in a workspace. */
export const recoverOpened = async (jobs: Jobs, workspace: OpenedWorkspace, log: Log): Promise<void> => {
  try {
    if (workspace.resolved.kind !== 'workspace' || jobs.runningOn(workspace.path) !== undefined) return
    const left = await readInterruption(workspace.resolved.root)
    const kind = JobKind.safeParse(left?.kind)
    if (left === null || !kind.success || jobs.runningOn(workspace.path) !== undefined) return
    jobs.start({ kind: kind.data, workspace: { id: workspace.id, path: workspace.path }, recoverId: left.job_id })
  } catch (error) {
    log.error('what an interrupted job left could not be looked at', { workspace: workspace.id, error })
  }
}

/** A process that outlived its server is let finish: it knows best how to end. */
const waitForOrphan = async (hasEnded: () => boolean, pid: number | null): Promise<void> => {
  const until = Date.now() + orphanWaitMs
  while (pid !== null && isAlive(pid) && !hasEnded() && Date.now() < until) await sleep(orphanPollMs, undefined, { ref: false })
}
