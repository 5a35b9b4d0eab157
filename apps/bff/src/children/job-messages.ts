import { JobKind, JobProgress, Problem } from '@nirs-workspace/types'
import * as z from 'zod'

/** What the server asks a job process to do. `folder` is where the process leaves `outcome.json`. */
export const JobRequest = z.object({
  type: z.literal('run'),
  kind: JobKind,
  /** Finish or undo what a dead process of this kind left behind, instead of doing it. */
  recover: z.boolean(),
  job_id: z.string(),
  path: z.string(),
  folder: z.string(),
  plan_id: z.string().nullable(),
  batch_size: z.number().int().nullable(),
  depth: z.enum(['quick', 'deep']),
  force: z.boolean(),
})
export type JobRequest = z.infer<typeof JobRequest>

export const JobCancel = z.object({ type: z.literal('cancel') })
export const ToJob = z.discriminatedUnion('type', [JobRequest, JobCancel])

export const JobOutcome = z.object({
  state: z.enum(['completed', 'failed', 'cancelled', 'interrupted']),
  report: z.unknown(),
  error: Problem.pick({ code: true, title: true, detail: true, hint: true }).nullable(),
})
export type JobOutcome = z.infer<typeof JobOutcome>

export const FromJob = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress: JobProgress }),
  z.object({ type: z.literal('outcome'), outcome: JobOutcome }),
])
export type FromJob = z.infer<typeof FromJob>
