import type { LockHolder, ServerEvent } from '@nirs-workspace/types'
import { toServerEvent } from '../jobs/job-record.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { Telling } from '../server/telling.ts'

export type WorkspaceChange =
  | { type: 'catalog_updated'; data: { workspace_id: string; fingerprint: string } }
  | { type: 'workspace_locked'; data: { workspace_id: string; locked_by: LockHolder | null } }
  | { type: 'workspace_unlocked' | 'workspace_missing' | 'workspace_found'; data: { workspace_id: string } }

type Send = (event: ServerEvent) => void

const channelName = /^(jobs|job:[\w-]{1,100}|workspace:[\w-]{1,100})$/
const keptWorkspaceEvents = 200
const shownJobs = 50

/** Numbers events per channel and hands them to subscribers: first a snapshot, then what they missed, then what happens. */
export class EventHub {
  readonly #jobs: Jobs
  readonly #telling: Telling
  readonly #subscribers = new Map<string, Set<Send>>()
  readonly #workspaceEvents = new Map<string, ServerEvent[]>()
  readonly #workspaceSeq = new Map<string, number>()

  constructor(jobs: Jobs, telling: Telling) {
    this.#jobs = jobs
    this.#telling = telling
    jobs.onEvent((record) => {
      for (const channel of ['jobs', `job:${record.job.job_id}`]) this.#deliver(channel, () => toServerEvent(record, channel))
    })
  }

  isChannel(channel: string): boolean {
    return channelName.test(channel)
  }

  /** An event as it is sent. */
  encode(event: ServerEvent): string {
    return this.#telling.json(event)
  }

  /** Sends the snapshot and the missed events at once, later ones as they come. Answers how to stop. */
  subscribe(channel: string, since: number | undefined, send: Send): () => void {
    send(this.#snapshot(channel))
    if (since !== undefined) for (const event of this.#missed(channel, since)) send(event)
    const subscribers = this.#subscribers.get(channel) ?? new Set()
    this.#subscribers.set(channel, subscribers.add(send))
    return () => {
      subscribers.delete(send)
      if (subscribers.size === 0 && this.#subscribers.get(channel) === subscribers) this.#subscribers.delete(channel)
    }
  }

  publish(change: WorkspaceChange): void {
    const channel = `workspace:${change.data.workspace_id}`
    const seq = (this.#workspaceSeq.get(channel) ?? 0) + 1
    this.#workspaceSeq.set(channel, seq)
    const event: ServerEvent = { ...change, channel, seq, timestamp: new Date().toISOString() }
    this.#workspaceEvents.set(channel, [...(this.#workspaceEvents.get(channel) ?? []), event].slice(-keptWorkspaceEvents))
    this.#deliver(channel, () => event)
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0
  }

  #deliver(channel: string, make: () => ServerEvent): void {
    const subscribers = this.#subscribers.get(channel)
    if (subscribers === undefined) return
    const event = make()
    for (const send of [...subscribers]) send(event)
  }

  #snapshot(channel: string): ServerEvent {
    const [kind, id] = split(channel)
    const jobs = this.#jobs.list().filter((job) => kind === 'jobs' || (kind === 'job' ? job.job_id === id : job.workspace_id === id))
    return {
      type: 'snapshot',
      channel,
      seq: this.#lastSeq(channel),
      timestamp: new Date().toISOString(),
      data: { jobs: jobs.slice(0, shownJobs) },
    }
  }

  #lastSeq(channel: string): number {
    const [kind, id] = split(channel)
    if (kind === 'jobs') return this.#jobs.lastSeq
    if (kind === 'job') return this.#jobs.records(id).at(-1)?.seq ?? 0
    return this.#workspaceSeq.get(channel) ?? 0
  }

  #missed(channel: string, since: number): ServerEvent[] {
    const [kind, id] = split(channel)
    if (kind === 'jobs') return this.#jobs.allRecords(since).map((record) => toServerEvent(record, channel))
    if (kind === 'workspace') return (this.#workspaceEvents.get(channel) ?? []).filter((event) => event.seq > since)
    const missed = this.#jobs.records(id).filter((record) => record.seq > since)
    return missed.map((record) => toServerEvent(record, channel))
  }
}

const split = (channel: string): [kind: string, id: string] => {
  const at = channel.indexOf(':')
  return at === -1 ? [channel, ''] : [channel.slice(0, at), channel.slice(at + 1)]
}
