import type { Log } from '../log.ts'
import type { OpenedWorkspace } from '../workspaces/opened-workspace.ts'
import type { Jobs } from './jobs.ts'
import { recoverOpened } from './recover-jobs.ts'

const firstPauseMs = 30_000
const longestPauseMs = 3_600_000

/**
 * Puts in order what programs leave that die while a workspace is open here. Where that fails, as while others have the store, it is tried
 * again after pauses that grow: each attempt is a job that the user sees.
 */
export class RecoveryWatch {
  readonly #jobs: Jobs
  readonly #log: Log
  readonly #attempts = new Map<string, { at: number; pauseMs: number }>()

  constructor(jobs: Jobs, log: Log) {
    this.#jobs = jobs
    this.#log = log
  }

  /** At once: somebody has opened it. */
  async opened(workspace: OpenedWorkspace): Promise<void> {
    this.#attempts.delete(workspace.id)
    await this.look(workspace)
  }

  /** What was left there is in order: what is left next does not wait. */
  settled(workspaceId: string): void {
    this.#attempts.delete(workspaceId)
  }

  async look(workspace: OpenedWorkspace): Promise<void> {
    const last = this.#attempts.get(workspace.id)
    if (last !== undefined && Date.now() < last.at + last.pauseMs) return
    // Noted before, so that looks which overlap begin nothing twice.
    const pauseMs = last === undefined ? firstPauseMs : Math.min(2 * last.pauseMs, longestPauseMs)
    this.#attempts.set(workspace.id, { at: Date.now(), pauseMs })
    if (!(await recoverOpened(this.#jobs, workspace, this.#log))) this.#attempts.delete(workspace.id)
  }
}
