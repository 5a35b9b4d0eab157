import type { JobProgress } from '@nirs-workspace/types'

/** What most long-running verbs take: a way to stop them before their commit, and somewhere to say how far they are. */
export interface WorkOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: JobProgress) => void) | undefined
}

export interface MigrationOptions extends WorkOptions {
  jobId: string
  /** Refuse with `plan_stale` when the workspace no longer is what this plan was made from. */
  planId?: string | undefined
  /** Rows per row group of the files written, at most 100 000; fewer where their values have more than 64 MB. Default 2 048. */
  batchSize?: number | undefined
}

export interface RollbackOptions {
  jobId: string
  /** Roll back although the workspace was changed since; the newer state is kept in `.nirs-workspace/rolled-back-<time>/`. */
  force?: boolean | undefined
  onProgress?: WorkOptions['onProgress']
}

export interface VerifyOptions extends WorkOptions {
  depth: 'quick' | 'deep'
  /** A file outside of the workspace in which a deep check notes how far it has come; one that was stopped goes on from there. */
  scrubState?: string | undefined
  /** Refuse with `proof_not_found` what was never migrated; what is no longer as it was proved is an error. */
  requireProof?: boolean | undefined
}

export interface Recovery {
  recovered: boolean
  job_id?: string
  outcome?: 'finished' | 'undone'
  /** What stayed of a removal that was finished, since others have changed or use it by now. */
  warnings?: string[]
  /** Another process is at work on the workspace: what a job may have left waits until it has ended. */
  is_busy?: true
}

export interface Interruption {
  job_id: string
  kind: string
  phase: string
}
