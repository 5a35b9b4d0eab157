import { fingerprintWorkspace, lastKnownStatus, StorageError } from '@nirs-workspace/storage'
import { Inspection, type LockHolder, MigrateStatus, StorageStatus, WorkspaceStats } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Task } from '../children/task-messages.ts'
import { isTerminal } from '../jobs/job-record.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Tasks } from '../processes/tasks.ts'
import { withBytes } from './estimate-bytes.ts'
import type { OpenedWorkspace } from './opened-workspace.ts'

export const DeletedBackup = z.object({ deleted: z.array(z.string()), bytes: z.number() })
/** Journals and backups change without the stores. */
const keptMs = 5000
/** How long a status waits for a catalog that is being renewed. */
const settleMs = 3000
const StoredMigrateStatus = MigrateStatus.omit({ running_job_id: true })

interface Known {
  fingerprint: string
  value: Promise<unknown>
  at: number
}

/**
 * What reading the store tells about a workspace. Each answer is made by a process of its own and kept until the files change; while a
 * job of ours is at work, the last answer serves, because the store is half-way between two states.
 */
export class WorkspaceFacts {
  readonly #jobs: Jobs
  readonly #tasks: Tasks
  readonly #cache: string
  readonly #known = new Map<string, Known>()

  constructor(jobs: Jobs, tasks: Tasks, cacheFolder: string) {
    this.#jobs = jobs
    this.#tasks = tasks
    this.#cache = cacheFolder
    // What a job leaves behind is not always to be seen in the stores: journals, backups.
    jobs.onEvent(({ job }) => {
      if (isTerminal(job)) this.#known.clear()
    })
  }

  async status(workspace: OpenedWorkspace): Promise<StorageStatus> {
    const status = (await fromCatalog(workspace)) ?? (await this.#seenStatus(workspace))
    const running = this.#jobs.runningOn(workspace.path)
    if (running === undefined) return status
    // The journal of a job at work is not what an interrupted one left behind.
    const { job_id, kind, progress } = running
    const locked_by = this.#othersLock(workspace, status.locked_by)
    return { ...status, locked_by, interrupted_job: progress.phase === 'recover' ? { job_id, kind, phase: progress.phase } : null }
  }

  /** By opening the store, or trying to. */
  #seenStatus(workspace: OpenedWorkspace): Promise<StorageStatus> {
    return this.#ask(workspace, { task: 'storage_status', path: workspace.path, cache: this.#cache }, StorageStatus)
  }

  async inspection(workspace: OpenedWorkspace): Promise<Inspection> {
    const inspection = await this.#ask(workspace, { task: 'inspect', path: workspace.path, cache: this.#cache }, Inspection)
    return { ...inspection, locked_by: this.#othersLock(workspace, inspection.locked_by ?? workspace.writer) }
  }

  async stats(workspace: OpenedWorkspace): Promise<WorkspaceStats> {
    const stats = await this.#ask(workspace, { task: 'stats', path: workspace.path, cache: this.#cache }, WorkspaceStats)
    await workspace.settle(settleMs)
    const told = { ...stats, locked_by: this.#othersLock(workspace, stats.locked_by ?? workspace.writer) }
    // A catalog of another state than the one that was counted would tell the arrays to lie elsewhere.
    if (workspace.catalogInfo.state !== 'ready' && workspace.lock === undefined) return told
    return { ...told, datasets: await workspace.query((catalog) => withBytes(catalog, stats.datasets)) }
  }

  async migrateStatus(workspace: OpenedWorkspace): Promise<MigrateStatus> {
    const stored = await this.#ask(workspace, { task: 'migrate_status', path: workspace.path, cache: this.#cache }, StoredMigrateStatus)
    const { migration_needed, storage_mode, locked_by } = await this.status(workspace)
    const running = this.#jobs.runningOn(workspace.path)
    return {
      ...stored,
      migration_needed,
      storage_mode,
      locked_by: this.#othersLock(workspace, stored.locked_by ?? locked_by),
      running_job_id: running === undefined || running.kind === 'verify' ? null : running.job_id,
    }
  }

  /** Makes the next question look again although the stores have not changed. */
  forget(workspace: OpenedWorkspace): void {
    for (const key of this.#known.keys()) if (key.startsWith(`${workspace.id} `)) this.#known.delete(key)
  }

  async #ask<S extends z.ZodType>(workspace: OpenedWorkspace, task: Task, schema: S): Promise<z.output<S>> {
    workspace.lastUse = Date.now()
    const key = `${workspace.id} ${task.task}`
    const known = this.#known.get(key)
    if (known !== undefined && this.#isBusy(workspace)) return schema.parse(await known.value)
    const fingerprint = await fingerprintWorkspace(workspace.resolved)
    if (known?.fingerprint === fingerprint && Date.now() - known.at < keptMs) return schema.parse(await known.value)
    const value = this.#tasks.run(task, schema)
    this.#known.set(key, { fingerprint, value, at: Date.now() })
    try {
      const answer = schema.parse(await value)
      // The holder may let go without changing a file.
      if (isOfLocked(answer)) this.#drop(key, value)
      return answer
    } catch (error) {
      this.#drop(key, value)
      throw error
    }
  }

  #drop(key: string, value: Promise<unknown>): void {
    if (this.#known.get(key)?.value === value) this.#known.delete(key)
  }

  /** A job of ours at work holds the store itself: that is nobody else's lock. */
  #othersLock(workspace: OpenedWorkspace, holder: LockHolder | null): LockHolder | null {
    return this.#jobs.runningOn(workspace.path) === undefined ? holder : null
  }

  #isBusy(workspace: OpenedWorkspace): boolean {
    const running = this.#jobs.runningOn(workspace.path)
    return running !== undefined && running.kind !== 'verify'
  }
}

const isOfLocked = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'locked_by' in answer && answer.locked_by !== null

/** What a catalog of the files as they are now (or as they were before somebody locked them) says, with what can be seen without opening. */
const fromCatalog = async (workspace: OpenedWorkspace): Promise<StorageStatus | undefined> => {
  await workspace.settle(settleMs)
  const { catalogFile, lock, catalogInfo } = workspace
  if (catalogFile === undefined || (catalogInfo.state !== 'ready' && lock === undefined)) return undefined
  return lastKnownStatus(workspace.resolved, catalogFile, lock ?? notLocked)
}

const notLocked = new StorageError('store_locked', 'Nobody holds the store.')
