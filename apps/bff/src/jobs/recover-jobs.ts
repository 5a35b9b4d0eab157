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
    else if (await hasWaitedForOther(jobs, job)) await recoverJob(jobs, job, log, readOnly)
    else jobs.start({ kind: job.kind, workspace: { id: job.workspace_id, path: job.workspace_path }, recoverId: job.job_id })
  } catch (error) {
    log.error('a job of an earlier server could not be brought to its end', { job_id: job.job_id, error })
    // A job without an end would keep all others from its workspace.
    if (!isTerminal(jobs.get(job.job_id))) jobs.takeForDead(job.job_id)
  }
}

/** Of jobs on one workspace that died together one is recovered at a time; meanwhile another server may have seen to the next. */
const hasWaitedForOther = async (jobs: Jobs, { job_id, workspace_path }: Job): Promise<boolean> => {
  const other = jobs.runningOn(workspace_path)
  if (other === undefined || other.job_id === job_id) return false
  await jobs.whenEnded(other.job_id)
  return true
}

/** The same for what a killed command line, or training program, has left in a workspace; whether it was begun. */
export const recoverOpened = async (jobs: Jobs, workspace: OpenedWorkspace, log: Log): Promise<boolean> => {
  try {
    if (workspace.resolved.kind !== 'workspace' || jobs.runningOn(workspace.path) !== undefined) return false
    const left = await readInterruption(workspace.resolved.root)
    if (left === null || jobs.runningOn(workspace.path) !== undefined) return false
    // Only some kinds of jobs are begun by a server; what any of them has left it can put in order.
    const kind = JobKind.catch('recover').parse(left.kind)
    jobs.start({ kind, workspace: { id: workspace.id, path: workspace.path }, recoverId: left.job_id })
    return true
  } catch (error) {
    log.error('what an interrupted job left could not be looked at', { workspace: workspace.id, error })
    return true
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
