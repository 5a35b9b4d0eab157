import { Job, type ServerEvent } from '@nirs-workspace/types'
import * as z from 'zod'

const Identity = z.object({ pid: z.number().int(), host: z.string(), started: z.string().nullable() })

/** One line of a job's event file: the job as it stood after the event. `seq` counts in the job, `jobs_seq` over all jobs ever. */
export const JobRecord = z.object({
  seq: z.number().int(),
  jobs_seq: z.number().int(),
  timestamp: z.string(),
  type: z.enum(['maintenance_started', 'maintenance_progress', 'maintenance_completed', 'maintenance_failed', 'maintenance_cancelled']),
  /** Process that did the work, to tell a job that still runs from one that died with the server. */
  pid: z.number().int().nullable(),
  /** The same process, named for good, and the server that runs it; earlier versions wrote neither. */
  process: Identity.nullish(),
  server: Identity.nullish(),
  job: Job,
})
export type JobRecord = z.infer<typeof JobRecord>

export const isTerminal = (job: Job): boolean => job.state !== 'queued' && job.state !== 'running'

/** Of progress only the last of each phase is kept: a job may report for hours, each time on all its datasets. */
export const withRecord = (records: readonly JobRecord[], next: JobRecord): JobRecord[] => [
  ...records.filter((record) => !isProgress(next) || !isProgress(record) || record.job.progress.phase !== next.job.progress.phase),
  next,
]

const isProgress = ({ type }: JobRecord): boolean => type === 'maintenance_progress'

/** The event that a record is on one of the channels that carry it. */
export const toServerEvent = (record: JobRecord, channel: string): ServerEvent => {
  const seq = channel === 'jobs' ? record.jobs_seq : record.seq
  const { job, timestamp, type } = record
  if (type === 'maintenance_progress') {
    const { job_id, kind, cancellable, progress } = job
    return { type, channel, seq, timestamp, data: { job_id, operation: kind, cancellable, progress } }
  }
  return { type, channel, seq, timestamp, data: { job_id: job.job_id, operation: job.kind, job } }
}
