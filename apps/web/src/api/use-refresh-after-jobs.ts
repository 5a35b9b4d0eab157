import type { Job } from '@nirs-workspace/types'
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { getConnection } from './connection.ts'
import { refreshWorkspace } from './events.ts'
import { isRunning, useJobs } from './workspace.tsx'

/** Where no events arrive, the list of jobs tells when one has begun or ended: what is shown of its workspace is then asked for again. */
export const useRefreshAfterJobs = (client: QueryClient): void => {
  const jobs = useJobs()
  const known = useRef<ReadonlyMap<string, boolean>>(undefined)
  useEffect(() => {
    const before = known.current
    known.current = new Map(jobs.map((job) => [job.job_id, isRunning(job)]))
    if (before === undefined || getConnection() === 'live') return
    const changed = (job: Job) => before.get(job.job_id) !== isRunning(job)
    for (const workspace of new Set(jobs.filter(changed).map((job) => job.workspace_id))) refreshWorkspace(client, workspace)
  }, [client, jobs])
}
