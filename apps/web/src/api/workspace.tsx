import type { Job, Workspace } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { createContext, use, useMemo } from 'react'
import { useConnection } from './connection.ts'
import { jobsQuery } from './queries.ts'

const Current = createContext<Workspace | undefined>(undefined)

/** Set by the frame: pages are drawn only once a workspace is there. */
export const WorkspaceProvider = Current

export const useWorkspace = (): Workspace => {
  const workspace = use(Current)
  if (workspace === undefined) throw new Error('useWorkspace is for pages inside the frame')
  return workspace
}

const ended = new Set<Job['state']>(['completed', 'failed', 'cancelled', 'interrupted'])
export const isRunning = (job: Job): boolean => !ended.has(job.state)

/** All jobs, newest first; live through events, and asked for every second while a job runs and events do not arrive. */
export const useJobs = (): readonly Job[] => {
  const connected = useConnection() === 'live'
  const { data } = useQuery({
    ...jobsQuery(),
    refetchInterval: (query) => (connected ? false : query.state.data?.rows.some(isRunning) === true ? 1000 : 10_000),
  })
  return useMemo(() => (data?.rows ?? []).toSorted((a, b) => b.created_at.localeCompare(a.created_at)), [data])
}

export const useWorkspaceJobs = (workspace: string): readonly Job[] => useJobs().filter((job) => job.workspace_id === workspace)
