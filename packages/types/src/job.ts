import * as z from 'zod'
import { Problem } from './error.ts'

/** `recover` puts in order what an interrupted job of any kind has left. */
export const JobKind = z.enum(['migrate', 'rollback', 'verify', 'recover'])
export type JobKind = z.infer<typeof JobKind>

/** queued → running → one of the four ends. `interrupted` says that the process died; recovery has put the workspace right. */
export const JobState = z.enum(['queued', 'running', 'completed', 'failed', 'cancelled', 'interrupted'])
export type JobState = z.infer<typeof JobState>

export const JobPhase = z.enum(['queued', 'recover', 'plan', 'stage', 'verify', 'commit', 'report', 'done'])
export type JobPhase = z.infer<typeof JobPhase>

export const JobProgress = z.object({
  phase: JobPhase,
  message: z.string(),
  /** 0 to 1 over the whole job. No figure to show while both totals are 0: how much there is to do is not known then. */
  fraction: z.number(),
  done_rows: z.number().int(),
  total_rows: z.number().int(),
  done_bytes: z.number(),
  total_bytes: z.number(),
  rows_per_second: z.number().nullable(),
  eta_seconds: z.number().nullable(),
  dataset_name: z.string().nullable(),
  datasets: z.array(
    z.object({
      name: z.string(),
      rows: z.number().int(),
      done_rows: z.number().int(),
      state: z.enum(['waiting', 'staging', 'verifying', 'done']),
    }),
  ),
})
export type JobProgress = z.infer<typeof JobProgress>

export const Job = z.object({
  job_id: z.string(),
  kind: JobKind,
  workspace_id: z.string(),
  workspace_path: z.string(),
  state: JobState,
  cancellable: z.boolean(),
  progress: JobProgress,
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  error: Problem.pick({ code: true, title: true, detail: true, hint: true }).nullable(),
  /** MigrationReport, RollbackReport or VerifyReport, by kind. */
  report: z.unknown().nullable(),
})
export type Job = z.infer<typeof Job>

export const JobList = z.object({ rows: z.array(Job), total: z.number().int() })
export type JobList = z.infer<typeof JobList>
export const JobStarted = z.object({ job_id: z.string() })
export type JobStarted = z.infer<typeof JobStarted>
