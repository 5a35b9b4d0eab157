import { getRun, listRuns, makeOverview } from '@nirs-workspace/storage'
import { OverviewResponse, RunPage, RunRow } from '@nirs-workspace/types'
import * as z from 'zod'
import { queryInteger } from '../server/request-query.ts'
import { defineRoute, noBody, pathParameter } from './define-route.ts'
import { catalogErrors } from './workspace-errors.ts'
import { onlyWorkspace, workspaceQuery } from './workspace-query.ts'

const text = { method: 'GET', body: noBody, errors: catalogErrors } as const

export const overviewRoutes = [
  defineRoute({
    ...text,
    path: '/overview',
    tag: 'Overview',
    summary: 'Datasets with their best cross-validation and refit scores, and the newest runs',
    query: onlyWorkspace,
    answers: [{ status: 200, description: 'The overview', schema: OverviewResponse }],
    handle: async ({ deps, query, request }) =>
      (await deps.workspaces.present(query.workspace)).query((catalog) => makeOverview(catalog, { signal: request.signal })),
  }),
  defineRoute({
    ...text,
    path: '/runs',
    tag: 'Runs',
    summary: 'Runs, newest first',
    query: z.strictObject({
      ...workspaceQuery,
      q: z.string().max(500).default(''),
      status: z.array(z.string().max(100)).default([]),
      limit: queryInteger(1, 1000).default(100),
      offset: queryInteger(0, Number.MAX_SAFE_INTEGER).default(0),
    }),
    answers: [{ status: 200, description: 'One page', schema: RunPage }],
    handle: async ({ deps, query: { workspace, ...query }, request }) =>
      (await deps.workspaces.present(workspace)).query((catalog) => listRuns(catalog, query, { signal: request.signal })),
  }),
  defineRoute({
    ...text,
    path: '/runs/{run_id}',
    tag: 'Runs',
    summary: 'One run',
    query: onlyWorkspace,
    answers: [{ status: 200, description: 'The run', schema: RunRow }],
    errors: [...catalogErrors, 'run_not_found'],
    handle: async ({ deps, query, params, request }) =>
      (await deps.workspaces.present(query.workspace)).query((catalog) =>
        getRun(catalog, pathParameter(params, 'run_id'), { signal: request.signal }),
      ),
  }),
]
