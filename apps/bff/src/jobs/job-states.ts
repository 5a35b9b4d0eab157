import { randomUUID } from 'node:crypto'
import { errorCodes, type Job, type JobKind, type JobProgress } from '@nirs-workspace/types'
import type { JobOutcome } from '../children/job-messages.ts'
import type { JobRecord } from './job-record.ts'

/** Phases in which a job can no longer be stopped. A proof is written before the commit. */
export const pastReturn: ReadonlySet<JobProgress['phase']> = new Set(['commit', 'done'])

export const recovering = { phase: 'recover', message: 'Finishing or undoing what was interrupted', eta_seconds: null } as const

export const terminalType = ({ state }: JobOutcome): JobRecord['type'] => {
  if (state === 'completed') return 'maintenance_completed'
  return state === 'cancelled' ? 'maintenance_cancelled' : 'maintenance_failed'
}

export const diedOutcome: JobOutcome = {
  state: 'interrupted',
  report: null,
  error: {
    code: 'interrupted',
    title: errorCodes.interrupted.title,
    detail: 'The process that did the work stopped unexpectedly.',
    hint: 'What it had begun is finished or undone when the workspace is next opened for writing.',
  },
}

export const notStartedOutcome: JobOutcome = {
  state: 'failed',
  report: null,
  error: {
    code: 'internal',
    title: errorCodes.internal.title,
    detail: 'The process that does the work could not be started, most likely for want of memory. Nothing was changed.',
    hint: 'Close other programs and start it again; the log of the server has the reason.',
  },
}

const waiting: JobProgress = {
  phase: 'queued',
  message: 'Starting',
  fraction: 0,
  done_rows: 0,
  total_rows: 0,
  done_bytes: 0,
  total_bytes: 0,
  rows_per_second: null,
  eta_seconds: null,
  dataset_name: null,
  datasets: [],
}

export const newJob = (kind: JobKind, workspace: { id: string; path: string }, recoverId: string | undefined): Job => {
  const now = new Date().toISOString()
  return {
    job_id: recoverId ?? randomUUID(),
    kind,
    workspace_id: workspace.id,
    workspace_path: workspace.path,
    state: 'running',
    // Nothing stops a roll back, nor what puts things in order.
    cancellable: recoverId === undefined && kind !== 'rollback' && kind !== 'recover',
    progress: waiting,
    created_at: now,
    started_at: now,
    ended_at: null,
    error: null,
    report: null,
  }
}
