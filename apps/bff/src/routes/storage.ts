import { Inspection, StorageStatus, WorkspaceStats } from '@nirs-workspace/types'
import { defineRoute, noBody } from './define-route.ts'
import { onlyWorkspace } from './workspace-query.ts'

const text = { method: 'GET', tag: 'Storage', query: onlyWorkspace, body: noBody } as const
const errors = [
  'workspace_not_found',
  'store_locked',
  'store_unreadable',
  'store_unsafe',
  'store_too_new',
  'path_unusable',
  'catalog_building',
] as const

export const storageRoutes = [
  defineRoute({
    ...text,
    path: '/workspace/storage-status',
    summary: 'What kind of storage the workspace has, whether it needs migration or rescue, who holds it',
    answers: [{ status: 200, description: 'The status', schema: StorageStatus }],
    errors,
    handle: async ({ deps, query }) => deps.facts.status(await deps.workspaces.present(query.workspace)),
  }),
  defineRoute({
    ...text,
    path: '/workspace/inspect',
    summary: 'The status with counts, datasets, sizes and findings',
    answers: [{ status: 200, description: 'The inspection', schema: Inspection }],
    errors,
    handle: async ({ deps, query }) => deps.facts.inspection(await deps.workspaces.present(query.workspace)),
  }),
  defineRoute({
    ...text,
    path: '/workspace/stats',
    summary: 'Bytes and files per category, rows per table, datasets',
    answers: [{ status: 200, description: 'The figures', schema: WorkspaceStats }],
    errors,
    handle: async ({ deps, query }) => deps.facts.stats(await deps.workspaces.present(query.workspace)),
  }),
]
