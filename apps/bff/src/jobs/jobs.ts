import { identityOf, type ProcessIdentity, StorageError } from '@nirs-workspace/storage'
import type { Job, JobKind, JobProgress } from '@nirs-workspace/types'
import type { JobOutcome, JobRequest } from '../children/job-messages.ts'
import type { Log } from '../log.ts'
import { isInside } from '../workspaces/is-inside.ts'
import type { JobFiles } from './job-files.ts'
import { type JobProcess, type StartJobProcess, startJobProcess } from './job-process.ts'
import { isTerminal, type JobRecord, withRecord } from './job-record.ts'
import { diedOutcome, newJob, notStartedOutcome, pastReturn, recovering, terminalType } from './job-states.ts'

/** After so many events of a job, and at its end, its file is written anew, with those only that are kept. */
const writtenAnewAfter = 200

export interface NewJob {
  kind: JobKind
  workspace: { id: string; path: string }
  planId?: string | undefined
  batchSize?: number | undefined
  depth?: 'quick' | 'deep'
  /** Roll back although the workspace was changed since. */
  force?: boolean | undefined
  /** Finish or undo what a dead process left, under the id of the job it was. */
  recoverId?: string | undefined
}

interface Entry {
  records: JobRecord[]
  process: JobProcess | undefined
  identity: ProcessIdentity | null
  ended: Promise<void>
}

/**
 * All jobs of this user, with a root those on workspaces inside it: running ones as processes, ended ones from their event files. One job
 * at a time per workspace.
 */
export class Jobs {
  readonly #files: JobFiles
  readonly #log: Log
  readonly #start: StartJobProcess
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<(record: JobRecord) => void>()
  readonly #server = identityOf(process.pid)
  #jobsSeq = 0

  constructor(files: JobFiles, log: Log, start: StartJobProcess = startJobProcess, root?: string) {
    this.#files = files
    this.#log = log
    this.#start = start
    for (const records of files.loadAll()) {
      const last = records.at(-1)
      if (last === undefined) continue
      const { job } = last
      // Of all jobs, as by this number the newest files are known.
      this.#jobsSeq = Math.max(this.#jobsSeq, ...records.map((record) => record.jobs_seq))
      if (root !== undefined && !isInside(root, job.workspace_path)) continue
      this.#entries.set(job.job_id, {
        records: records.with(-1, withoutCancel(last)),
        process: undefined,
        identity: null,
        ended: Promise.resolve(),
      })
    }
  }

  /** Number of the last event over all jobs. */
  get lastSeq(): number {
    return this.#jobsSeq
  }

  /** Newest first. */
  list(): Job[] {
    return [...this.#entries.values()].map(currentJob).sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
  }

  /** Throws `job_not_found`. */
  get(jobId: string): Job {
    return currentJob(this.#entry(jobId))
  }

  records(jobId: string): readonly JobRecord[] {
    return this.#entries.get(jobId)?.records ?? []
  }

  /** Events of all jobs after `since`, in order. */
  allRecords(since: number): JobRecord[] {
    return [...this.#entries.values()]
      .flatMap(({ records }) => records.filter((record) => record.jobs_seq > since))
      .sort((a, b) => a.jobs_seq - b.jobs_seq)
  }

  /** The job that is at work on a workspace, if there is one. */
  runningOn(workspacePath: string): Job | undefined {
    return this.list().find((job) => job.workspace_path === workspacePath && !isTerminal(job))
  }

  /** Jobs that this process knows as not ended but does not run: their server died, or is another one. */
  abandoned(): Job[] {
    return [...this.#entries.values()].filter((entry) => entry.process === undefined && !isTerminal(currentJob(entry))).map(currentJob)
  }

  /** Takes over what another server has written about a job since; tells whether there was something. */
  catchUp(jobId: string): boolean {
    const entry = this.#entry(jobId)
    const known = entry.records.at(-1)?.seq ?? 0
    const news = this.#files.load(jobId).filter(({ seq }) => seq > known)
    // Each server counts the events of all jobs for itself.
    for (const record of news) this.#tell(entry, { ...withoutCancel(record), jobs_seq: this.#jobsSeq + 1 })
    return news.length > 0
  }

  onEvent(listener: (record: JobRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Starts a job at once; throws `workspace_busy` when another one is at work there. */
  start(request: NewJob): Job {
    const busy = this.runningOn(request.workspace.path)
    if (busy !== undefined && busy.job_id !== request.recoverId) {
      throw new StorageError('workspace_busy', `A ${busy.kind} job is already at work on this workspace.`, {
        hint: 'Wait until it has ended, or cancel it.',
        job_id: busy.job_id,
      })
    }
    const left = request.recoverId === undefined ? undefined : this.#entries.get(request.recoverId)
    // A job whose end was told stays as it is: what is put in order afterwards is a job of its own.
    const isLater = left !== undefined && isTerminal(currentJob(left))
    const known = isLater ? undefined : left
    const entry: Entry = known ?? { records: [], process: undefined, identity: null, ended: Promise.resolve() }
    const kind = isLater ? 'recover' : request.kind
    const job = known === undefined ? newJob(kind, request.workspace, isLater ? undefined : request.recoverId) : currentJob(known)
    this.#entries.set(job.job_id, entry)
    entry.ended = this.#work(entry, job.job_id, { ...request, kind })
    if (known === undefined) this.#record(entry, 'maintenance_started', job)
    if (request.recoverId !== undefined) this.#progress(entry, { ...job.progress, ...recovering }, true)
    return currentJob(entry)
  }

  /** A process that dies without a word is followed by one that finishes or undoes what it had begun. */
  async #work(entry: Entry, jobId: string, request: NewJob): Promise<void> {
    const recover = request.recoverId !== undefined
    const outcome = await this.#launch(entry, jobId, request, recover)
    if (outcome !== undefined || recover) return this.#end(entry, outcome ?? diedOutcome)
    this.#progress(entry, { ...currentJob(entry).progress, ...recovering }, true)
    this.#end(entry, (await this.#launch(entry, jobId, request, true)) ?? diedOutcome)
  }

  #launch(entry: Entry, jobId: string, request: NewJob, recover: boolean): Promise<JobOutcome | undefined> {
    const order: JobRequest = {
      type: 'run',
      kind: request.kind,
      recover,
      job_id: jobId,
      path: request.workspace.path,
      folder: this.#files.folderOf(jobId),
      plan_id: request.planId ?? null,
      batch_size: request.batchSize ?? null,
      depth: request.depth ?? 'deep',
      force: request.force ?? false,
    }
    try {
      entry.process = this.#start(order, (progress) => this.#progress(entry, progress), this.#log)
    } catch (error) {
      this.#log.error('the process of a job could not be started', { job_id: jobId, error })
      return Promise.resolve(recover ? undefined : notStartedOutcome)
    }
    entry.identity = entry.process.pid === null ? null : identityOf(entry.process.pid)
    return entry.process.ended
  }

  /**
   * Asks a job to stop; the answer is the job as it is now, the end comes as an event. Throws `invalid_transition` when it is not ours to
   * stop: another server runs it, or did until it died.
   */
  cancel(jobId: string): Job {
    const entry = this.#entry(jobId)
    const job = currentJob(entry)
    if (isTerminal(job)) return job
    if (entry.process === undefined) throw runElsewhere(entry.records.at(-1)?.server)
    entry.process.cancel()
    return currentJob(entry)
  }

  /** The last word of a job's process, if it left one. */
  readOutcome(jobId: string): JobOutcome | undefined {
    return this.#files.readOutcome(jobId)
  }

  /** Writes the end of a job that no process of ours runs any more. */
  finish(jobId: string, outcome: JobOutcome): void {
    this.#end(this.#entry(jobId), outcome)
  }

  /** Tells the end of a job that died, without writing it: how it ended is for the server to say that finishes or undoes what it had begun. */
  takeForDead(jobId: string): void {
    this.#end(this.#entry(jobId), diedOutcome, false)
  }

  /** Resolves when the job has ended, whoever runs it. */
  async whenEnded(jobId: string): Promise<Job> {
    const entry = this.#entry(jobId)
    await entry.ended
    if (!isTerminal(currentJob(entry))) await this.#toldEnd(jobId)
    return currentJob(entry)
  }

  #toldEnd(jobId: string): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.onEvent(({ job }) => {
        if (job.job_id !== jobId || !isTerminal(job)) return
        stop()
        resolve()
      })
    })
  }

  /** Tells running jobs to stop and waits for them, at most `graceMs`; what is past its commit finishes by itself. */
  async close(graceMs = 20_000): Promise<void> {
    const running = [...this.#entries.values()].filter((entry) => entry.process !== undefined && !isTerminal(currentJob(entry)))
    for (const entry of running) entry.process?.cancel()
    const grace = new Promise<void>((resolve) => {
      setTimeout(resolve, graceMs).unref()
    })
    await Promise.race([Promise.all(running.map((entry) => entry.ended)), grace])
  }

  #entry(jobId: string): Entry {
    const entry = this.#entries.get(jobId)
    if (entry === undefined) throw new StorageError('job_not_found', 'There is no job of this id.')
    return entry
  }

  #progress(entry: Entry, progress: JobProgress, isRecovery = false): void {
    const job = currentJob(entry)
    if (isTerminal(job)) return
    const cancellable = job.cancellable && !isRecovery && !pastReturn.has(progress.phase)
    this.#record(entry, 'maintenance_progress', { ...job, state: 'running', cancellable, progress })
  }

  #end(entry: Entry, outcome: JobOutcome, isSaved = true): void {
    const job = currentJob(entry)
    if (isTerminal(job)) return
    const completed = outcome.state === 'completed'
    const progress: JobProgress = completed
      ? { ...job.progress, phase: 'done', message: 'Done', fraction: 1, eta_seconds: 0 }
      : job.progress
    const end = { state: outcome.state, cancellable: false, progress, ended_at: new Date().toISOString() }
    this.#record(entry, terminalType(outcome), { ...job, ...end, error: outcome.error, report: outcome.report ?? null }, isSaved)
  }

  #record(entry: Entry, type: JobRecord['type'], job: Job, isSaved = true): void {
    const seq = (entry.records.at(-1)?.seq ?? 0) + 1
    const pid = entry.process?.pid ?? null
    const timestamp = new Date().toISOString()
    const processes = { pid, process: entry.identity, server: this.#server }
    const record: JobRecord = { seq, jobs_seq: this.#jobsSeq + 1, timestamp, type, ...processes, job }
    if (isSaved) this.#save(entry, record)
    this.#tell(entry, record)
  }

  #tell(entry: Entry, record: JobRecord): void {
    this.#jobsSeq = record.jobs_seq
    entry.records = withRecord(entry.records, record)
    for (const listener of this.#listeners) listener(record)
  }

  /** A full disk must not take the server down: what cannot be written is still told to whoever listens. */
  #save(entry: Entry, record: JobRecord): void {
    try {
      this.#files.append(record)
      const kept = withRecord(entry.records, record)
      const isTime = record.seq % writtenAnewAfter === 0 || isTerminal(record.job)
      if (isTime && kept.length < record.seq) this.#files.replace(record.job.job_id, kept)
    } catch (error) {
      this.#log.error('an event could not be saved', { job_id: record.job.job_id, error })
    }
  }
}

const currentJob = (entry: Entry): Job => {
  const job = entry.records.at(-1)?.job
  if (job === undefined) throw new Error('A job without events')
  return job
}

/** Only the server that runs a job has the means to stop it. */
const withoutCancel = (record: JobRecord): JobRecord => ({ ...record, job: { ...record.job, cancellable: false } })

const runElsewhere = (server: ProcessIdentity | null | undefined): StorageError => {
  const which = server === null || server === undefined ? '' : ` (process ${server.pid} on ${server.host})`
  return new StorageError('invalid_transition', `This job was started by another server${which} and was not asked to stop.`, {
    hint: 'Cancel it there. If that server is gone, what the job had begun is finished or undone by itself.',
  })
}
