import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isStorageError,
  lastMigrationReport,
  type Recovery,
  recoverWorkspace,
  rollbackMigration,
  runMigration,
  verifyWorkspace,
} from '@nirs-workspace/storage'
import { errorCodes, type JobProgress } from '@nirs-workspace/types'
import { followParent, tellParent } from './child-process.ts'
import { type FromJob, type JobOutcome, type JobRequest, ToJob } from './job-messages.ts'
import { interruptedOutcome } from './recovery-outcome.ts'
import { throttleProgress } from './throttle-progress.ts'

const abort = new AbortController()
const stop = () => abort.abort(new Error('cancelled'))

const send = (message: FromJob): Promise<void> => tellParent(message)

const onProgress = throttleProgress((progress: JobProgress) => {
  void send({ type: 'progress', progress })
}, 200)

const work = (request: JobRequest): Promise<unknown> => {
  const { path, job_id: jobId } = request
  const { signal } = abort
  switch (request.kind) {
    case 'migrate':
      return runMigration(path, {
        jobId,
        signal,
        onProgress,
        planId: request.plan_id ?? undefined,
        batchSize: request.batch_size ?? undefined,
      })
    case 'rollback':
      return rollbackMigration(path, { jobId, onProgress, force: request.force })
    case 'verify':
      return verifyWorkspace(path, { signal, onProgress, depth: request.depth })
    case 'recover':
      return recoverWorkspace(path)
  }
}

/** What becomes of a job whose process died: finished if it had got past its commit, otherwise undone. */
const recover = async (request: JobRequest): Promise<JobOutcome> => {
  const recovery = await recoverPatiently(request.path)
  if (request.kind === 'recover' && recovery.is_busy !== true) return completed(null)
  if (recovery.outcome !== 'finished' || recovery.job_id !== request.job_id) return interruptedOutcome(recovery, request.job_id)
  return completed(request.kind === 'migrate' ? await lastMigrationReport(request.path) : null)
}

/** Whoever reads the store to show it lets go of it in a moment. */
const recoverPatiently = async (path: string): Promise<Recovery> => {
  for (const pause of [250, 500, 1000, 2000, 4000]) {
    const recovery = await recoverWorkspace(path)
    if (recovery.is_busy !== true) return recovery
    await sleep(pause)
  }
  return recoverWorkspace(path)
}

const toOutcome = (error: unknown): JobOutcome => {
  if (!isStorageError(error)) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    const detail = 'Something went wrong inside the program; the log of the server has the details.'
    return { state: 'failed', report: null, error: { code: 'internal', title: errorCodes.internal.title, detail } }
  }
  const { hint } = error.fields
  const described = {
    code: error.code,
    title: errorCodes[error.code].title,
    detail: error.message,
    ...(hint === undefined ? {} : { hint }),
  }
  return { state: error.code === 'cancelled' ? 'cancelled' : 'failed', report: null, error: described }
}

const run = async (request: JobRequest): Promise<void> => {
  const outcome = await (request.recover ? recover(request) : work(request).then(completed)).catch(toOutcome)
  trySaving(request.folder, outcome)
  onProgress.flush()
  await send({ type: 'outcome', outcome })
  process.exit(0)
}

const completed = (result: unknown): JobOutcome => ({ state: 'completed', report: result, error: null })

/** What was done is done and gets told, whether or not it can be noted: a full disk must not make an interrupted job of it. */
const trySaving = (folder: string, outcome: JobOutcome): void => {
  try {
    saveOutcome(folder, outcome)
  } catch (error) {
    process.stderr.write(`The end of this job could not be noted in ${folder}: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

/** On disk before it is told: a server that dies now finds the end of this job when it starts again. */
const saveOutcome = (folder: string, outcome: JobOutcome): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const beside = join(folder, `.outcome-${process.pid}.tmp`)
  const file = openSync(beside, 'w', 0o600)
  try {
    // All of it or an error; `writeSync` may write less on a disk that is nearly full.
    writeFileSync(file, JSON.stringify(outcome))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, join(folder, 'outcome.json'))
}

followParent(stop)
process.on('message', (raw) => {
  const message = ToJob.parse(raw)
  if (message.type === 'cancel') stop()
  else void run(message)
})
