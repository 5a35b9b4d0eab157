import { Job, JobList } from '@nirs-workspace/types'
import * as z from 'zod'
import { queryInteger } from '../server/request-query.ts'
import { defineRoute, noBody, noQuery, pathParameter } from './define-route.ts'

const text = { tag: 'Jobs', body: noBody } as const

export const jobRoutes = [
  defineRoute({
    ...text,
    method: 'GET',
    path: '/jobs',
    summary: 'Jobs, newest first; ended ones are kept over restarts',
    query: z.strictObject({
      workspace: z.string().optional(),
      limit: queryInteger(1, 1000).default(100),
      offset: queryInteger(0, 1_000_000).default(0),
    }),
    answers: [{ status: 200, description: 'Jobs', schema: JobList }],
    handle: ({ deps, query }) => {
      const jobs = deps.jobs.list().filter((job) => query.workspace === undefined || job.workspace_id === query.workspace)
      return { rows: jobs.slice(query.offset, query.offset + query.limit), total: jobs.length }
    },
  }),
  defineRoute({
    ...text,
    method: 'GET',
    path: '/jobs/{job_id}',
    summary: 'One job with its progress and, at its end, its report',
    query: noQuery,
    answers: [{ status: 200, description: 'The job', schema: Job }],
    errors: ['job_not_found'],
    handle: ({ deps, params }) => deps.jobs.get(pathParameter(params, 'job_id')),
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/jobs/{job_id}/cancel',
    summary: 'Ask a job to stop; what is past its commit completes, and a job of another server can be stopped there only',
    query: noQuery,
    answers: [{ status: 200, description: 'The job as it is now; its end comes as an event', schema: Job }],
    errors: ['job_not_found', 'invalid_transition'],
    handle: ({ deps, params }) => deps.jobs.cancel(pathParameter(params, 'job_id')),
  }),
]
