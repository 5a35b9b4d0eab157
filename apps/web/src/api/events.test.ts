import { type JobList, ServerEvent } from '@nirs-workspace/types'
import { QueryClient } from '@tanstack/react-query'
import { describe, expect, it } from 'vitest'
import { migrationJob } from '../../test/data.ts'
import { applyEvent } from './events.ts'

const envelope = { channel: 'jobs', seq: 3, timestamp: '2026-11-21T03:00:00.000Z' }
const jobs = (client: QueryClient) => client.getQueryData<JobList>(['/jobs'])?.rows

describe('events', () => {
  it('a snapshot replaces the jobs, progress changes one of them and says when it can be cancelled no more', () => {
    const client = new QueryClient()
    const job = migrationJob({})
    applyEvent(client, ServerEvent.parse({ ...envelope, type: 'snapshot', data: { jobs: [job] } }))
    const data = { job_id: 'job-1', operation: 'migrate', cancellable: false, progress: { ...job.progress, fraction: 0.9 } }
    applyEvent(client, ServerEvent.parse({ ...envelope, type: 'maintenance_progress', data }))
    expect(jobs(client)?.map((each) => [each.progress.fraction, job.cancellable, each.cancellable])).toEqual([[0.9, true, false]])
  })

  it('an end puts the job and refreshes what was read from its workspace', () => {
    const client = new QueryClient()
    client.setQueryData(['/overview', 'w1', {}], {})
    client.setQueryData(['/overview', 'w2', {}], {})
    const job = migrationJob({ state: 'completed' })
    applyEvent(
      client,
      ServerEvent.parse({ ...envelope, type: 'maintenance_completed', data: { job_id: 'job-1', operation: 'migrate', job } }),
    )
    expect(jobs(client)?.map((each) => each.state)).toEqual(['completed'])
    expect(client.getQueryState(['/overview', 'w1', {}])?.isInvalidated).toBe(true)
    expect(client.getQueryState(['/overview', 'w2', {}])?.isInvalidated).toBe(false)
  })
})
