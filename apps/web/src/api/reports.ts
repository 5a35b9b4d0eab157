import type { Job, MigrationReport, RollbackReport, VerifyReport } from '@nirs-workspace/types'

/** A job's report has the shape of its kind; the server writes it with the same schema. */
export const migrationReport = (job: Job): MigrationReport | undefined =>
  job.kind === 'migrate' && job.state === 'completed' && job.report !== null ? (job.report as MigrationReport) : undefined

export const verifyReport = (job: Job): VerifyReport | undefined =>
  job.kind === 'verify' && job.state === 'completed' && job.report !== null ? (job.report as VerifyReport) : undefined

export const rollbackReport = (job: Job): RollbackReport | undefined =>
  job.kind === 'rollback' && job.state === 'completed' && job.report !== null ? (job.report as RollbackReport) : undefined
