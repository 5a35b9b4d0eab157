import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isElsewhere, isRunning, type ProcessIdentity, readInterruption } from '@nirs-workspace/storage'
import { type Job, JobKind } from '@nirs-workspace/types'
import type { Log } from '../log.ts'
import type { OpenedWorkspace } from '../workspaces/opened-workspace.ts'
import { isTerminal } from './job-record.ts'
import type { Jobs } from './jobs.ts'

const shortestPauseMs = 250
const longestPauseMs = 5_000
const silenceMs = 120_000

/**
 * Brings every job to an end that an earlier server left without one: told by its own last word if it left one, otherwise by a process
 * that finishes or undoes what it had begun. A job that another server runs is watched only. A read-only server starts no such process: it
 * takes the job for dead.
 */
export const recoverJobs = async (jobs: Jobs, log: Log, { readOnly = false } = {}): Promise<void> => {
  await Promise.all(jobs.abandoned().map((job) => recoverJob(jobs, job, log, readOnly)))
}

const recoverJob = async (jobs: Jobs, job: Job, log: Log, readOnly: boolean): Promise<void> => {
  try {
    await waitWhileAtWork(jobs, job.job_id)
    const outcome = jobs.readOutcome(job.job_id)
    if (isTerminal(jobs.get(job.job_id))) return
    if (outcome !== undefined) jobs.finish(job.job_id, outcome)
    else if (readOnly) jobs.takeForDead(job.job_id)
    else jobs.start({ kind: job.kind, workspace: { id: job.workspace_id, path: job.workspace_path }, recoverId: job.job_id })
  } catch (error) {
    log.error('a job of an earlier server could not be brought to its end', { job_id: job.job_id, error })
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

/** A process that outlived its server is let finish, as it knows best how to end; while a server lives, the end is for that one to write. */
const waitWhileAtWork = async (jobs: Jobs, jobId: string): Promise<void> => {
  let pause = shortestPauseMs
  for (let lastNews = Date.now(); ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const isAtWork = await isSomebodyAtWork(jobs, jobId, Date.now() - lastNews < silenceMs)
    const hasNews = jobs.catchUp(jobId)
    if (isTerminal(jobs.get(jobId)) || (!isAtWork && !hasNews)) return
    if (hasNews) lastNews = Date.now()
    await sleep(pause, undefined, { ref: false })
  }
}

const isSomebodyAtWork = async (jobs: Jobs, jobId: string, isRecent: boolean): Promise<boolean> => {
  const record = jobs.records(jobId).at(-1)
  if (record === undefined) return false
  const { pid, server, process = pid === null ? null : { pid, host: hostname(), started: null } } = record
  if (await runs(server, isRecent)) return true
  return jobs.readOutcome(jobId) === undefined && (await runs(process, isRecent))
}

/** An id without a start may be another process's by now, and of another machine or container nothing is known: these count while events come. */
const runs = async (process: ProcessIdentity | null | undefined, isRecent: boolean): Promise<boolean> => {
  if (process === null || process === undefined) return false
  const isCertain = process.started !== null && !isElsewhere(process)
  return (isCertain || isRecent) && isRunning(process)
}
