import type { ClientMessage, Job, JobList, ServerEvent } from '@nirs-workspace/types'
import type { Query, QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { getConnection, serverAnswers, setConnection } from './connection.ts'
import { inspectQuery, migrateStatusQuery, migrationPlanQuery, storageStatusQuery, workspacesQuery } from './queries.ts'

/** Waits between attempts to reconnect, in milliseconds. */
const retryDelays = [500, 1000, 2000, 5000] as const

/** Keeps a socket open on the jobs and on one workspace, and the query cache in step with what it says. */
export const useEvents = (client: QueryClient, workspace: string | undefined, ready: boolean): void => {
  useEffect(() => {
    if (!ready) return
    return openEvents(client, ['jobs', ...(workspace === undefined ? [] : [`workspace:${workspace}`])])
  }, [client, workspace, ready])
}

const reconnectEvent = 'nirs:reconnect'
/** Tries again at once instead of at the next turn. */
export const reconnectNow = (): void => void dispatchEvent(new Event(reconnectEvent))

const openEvents = (client: QueryClient, channels: readonly string[]): (() => void) => {
  const seen = new Map<string, number>()
  let attempt = 0
  let closed = false
  let socket: WebSocket | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const connect = (): void => {
    const next = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/ws`)
    socket = next
    next.addEventListener('open', () => {
      attempt = 0
      // What was missed while nobody answered is not told again: a server that was started anew counts from one.
      if (getConnection() === 'offline') {
        seen.clear()
        void client.invalidateQueries()
      }
      setConnection('live')
      for (const channel of channels) next.send(JSON.stringify(subscription(channel, seen.get(channel))))
    })
    next.addEventListener('message', (message) => {
      const event = parseEvent(String(message.data))
      seen.set(event.channel, event.seq)
      applyEvent(client, event)
    })
    next.addEventListener('close', () => {
      if (closed) return
      timer = setTimeout(connect, retryDelays[Math.min(attempt, retryDelays.length - 1)])
      attempt += 1
      void tellWhy()
    })
  }

  /** A socket that does not open may be all that is wrong. */
  const tellWhy = async (): Promise<void> => {
    const answers = await serverAnswers()
    if (closed || socket?.readyState === WebSocket.OPEN) return
    if (answers && getConnection() === 'offline') void client.invalidateQueries()
    setConnection(answers ? 'asking' : 'offline')
  }

  connect()
  const now = (): void => {
    clearTimeout(timer)
    attempt = 0
    if (socket?.readyState !== WebSocket.OPEN && socket?.readyState !== WebSocket.CONNECTING) connect()
  }
  addEventListener(reconnectEvent, now)
  return () => {
    removeEventListener(reconnectEvent, now)
    closed = true
    clearTimeout(timer)
    socket?.close()
  }
}

const subscription = (channel: string, since: number | undefined): ClientMessage => ({
  type: 'subscribe',
  channel,
  ...(since === undefined ? {} : { since_seq: since }),
})

/** As `trusted` in the client: only our own server speaks on this socket, and its tests check every event. */
const parseEvent = (text: string): ServerEvent => JSON.parse(text) as ServerEvent

/** Exported for tests: what one event does to the cache. */
export const applyEvent = (client: QueryClient, event: ServerEvent): void => {
  switch (event.type) {
    case 'snapshot':
      if (event.channel === 'jobs') client.setQueryData<JobList>(['/jobs'], { rows: event.data.jobs, total: event.data.jobs.length })
      return
    case 'maintenance_started':
      putJob(client, event.data.job)
      refreshWorkspace(client, event.data.job.workspace_id)
      return
    case 'maintenance_progress': {
      const { job_id, cancellable, progress } = event.data
      patchJob(client, job_id, (job) => ({ ...job, state: 'running', cancellable, progress }))
      return
    }
    case 'maintenance_completed':
    case 'maintenance_failed':
    case 'maintenance_cancelled':
      putJob(client, event.data.job)
      refreshWorkspace(client, event.data.job.workspace_id)
      return
    case 'workspace_missing':
    case 'workspace_found':
    case 'catalog_updated':
      // The list tells whether it is there and which catalog it has; the pages keep what they show until it is back, or until that is another.
      void client.invalidateQueries({ queryKey: ['/workspaces'] })
      return
    case 'workspace_locked':
    case 'workspace_unlocked':
      refreshWorkspace(client, event.data.workspace_id)
  }
}

const putJob = (client: QueryClient, job: Job): void => {
  client.setQueryData<JobList>(['/jobs'], (list) => {
    const others = (list?.rows ?? []).filter((other) => other.job_id !== job.job_id)
    return { rows: [job, ...others], total: others.length + 1 }
  })
}

const patchJob = (client: QueryClient, jobId: string, change: (job: Job) => Job): void => {
  client.setQueryData<JobList>(
    ['/jobs'],
    (list) => list && { ...list, rows: list.rows.map((job) => (job.job_id === jobId ? change(job) : job)) },
  )
}

/** Everything read from this workspace, and the list of workspaces, is asked for again. */
export const refreshWorkspace = (client: QueryClient, workspace: string): void => {
  askAgain(client, ({ queryKey }) => queryKey[0] === '/workspaces' || queryKey[1] === workspace)
}

/** What a catalog answers, or had given up on one, is asked for again: the answer may be an older one's that served while it was built. */
export const refreshAnswers = (client: QueryClient, workspace: string): void => {
  const others = new Set<unknown>(
    [migrationPlanQuery, migrateStatusQuery, storageStatusQuery, inspectQuery].map((query) => query(workspace).queryKey[0]),
  )
  askAgain(client, ({ queryKey, state }) => queryKey[1] === workspace && (state.status === 'error' || !others.has(queryKey[0])))
}

/** A first answer that is under way may be of before, and its arrival would count as news: it is given up and asked for anew. */
const askAgain = (client: QueryClient, predicate: (query: Query) => boolean): void => {
  for (const query of client.getQueryCache().findAll({ fetchStatus: 'fetching', predicate })) {
    if (query.state.data === undefined) query.reset()
  }
  void client.invalidateQueries({ predicate })
}

/** What state the workspace is in is asked for again, without making another plan. */
export const refreshStatus = (client: QueryClient, workspace: string): void => {
  for (const { queryKey } of [migrateStatusQuery(workspace), storageStatusQuery(workspace), workspacesQuery()]) {
    void client.invalidateQueries({ queryKey })
  }
}
