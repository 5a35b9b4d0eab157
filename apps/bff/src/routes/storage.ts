import { Inspection, StorageStatus, WorkspaceStats } from '@nirs-workspace/types'
import { defineRoute, noBody } from './define-route.ts'
import { catalogErrors } from './workspace-errors.ts'
import { onlyWorkspace } from './workspace-query.ts'

const text = { method: 'GET', tag: 'Storage', query: onlyWorkspace, body: noBody } as const

export const storageRoutes = [
  defineRoute({
    ...text,
    path: '/workspace/storage-status',
    summary: 'What kind of storage the workspace has, whether it needs migration or rescue, who holds it',
    answers: [{ status: 200, description: 'The status', schema: StorageStatus }],
    errors: catalogErrors,
    handle: async ({ deps, query }) => deps.facts.status(await deps.workspaces.present(query.workspace)),
  }),
  defineRoute({
    ...text,
    path: '/workspace/inspect',
    summary: 'The status with counts, datasets, sizes and findings',
    answers: [{ status: 200, description: 'The inspection', schema: Inspection }],
    errors: catalogErrors,
    handle: async ({ deps, query }) => deps.facts.inspection(await deps.workspaces.present(query.workspace)),
  }),
  defineRoute({
    ...text,
    path: '/workspace/stats',
    summary: 'Bytes and files per category, rows per table, datasets',
    answers: [{ status: 200, description: 'The figures', schema: WorkspaceStats }],
    errors: catalogErrors,
    handle: async ({ deps, query }) => deps.facts.stats(await deps.workspaces.present(query.workspace)),
  }),
]
