import { type ChildProcess, fork } from 'node:child_process'
import { jobProcessEnvironment, jobProcessFlags } from '@nirs-workspace/storage/job-process'
import type { JobProgress } from '@nirs-workspace/types'
import { FromJob, type JobOutcome, type JobRequest } from '../children/job-messages.ts'
import type { Log } from '../log.ts'

export interface JobProcess {
  readonly pid: number | null
  /** Asks the job to stop; it ends as cancelled, or completes when it is past the point of no return. */
  cancel(): void
  /** Resolves when the process has ended; undefined when it died without saying how. */
  readonly ended: Promise<JobOutcome | undefined>
}

export type StartJobProcess = (request: JobRequest, onProgress: (progress: JobProgress) => void, log: Log) => JobProcess

const entry = new URL('../children/run-job.ts', import.meta.url)

/** Runs a job in a process of its own, so that it can crash, be cancelled or outlive the server without harm to others. */
export const startJobProcess: StartJobProcess = (request, onProgress, log) => {
  const child = fork(entry, [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    execArgv: [...jobProcessFlags],
    env: { ...jobProcessEnvironment, ...process.env },
  })
  let outcome: JobOutcome | undefined
  child.on('message', (raw) => {
    const { data: message, error } = FromJob.safeParse(raw)
    if (message === undefined) log.error('a job said something unknown', { job_id: request.job_id, error })
    else if (message.type === 'progress') onProgress(message.progress)
    else outcome = message.outcome
  })
  const errors = collectErrors(child)
  const ended = new Promise<JobOutcome | undefined>((resolve) => {
    child.on('error', (error) => log.error('job process failed', { job_id: request.job_id, error }))
    child.on('close', (code, signal) => {
      const stderr = errors()
      if (outcome === undefined) log.error('job process died', { job_id: request.job_id, code, signal, stderr })
      else if (stderr !== '') log.error('a job had something to report', { job_id: request.job_id, stderr })
      resolve(outcome)
    })
  })
  send(child, request)
  return { pid: child.pid ?? null, cancel: () => send(child, { type: 'cancel' }), ended }
}

const send = (child: ChildProcess, message: object): void => {
  if (child.connected) child.send(message)
}

const collectErrors = (child: ChildProcess): (() => string) => {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000)
  })
  return () => text
}
