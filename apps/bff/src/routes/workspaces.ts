import { OpenWorkspace, Workspace, WorkspaceList } from '@nirs-workspace/types'
import * as z from 'zod'
import { describeWorkspace } from '../workspaces/describe-workspace.ts'
import { defineRoute, noBody, noQuery, pathParameter } from './define-route.ts'

const text = { tag: 'Workspaces', query: noQuery } as const

export const workspaceRoutes = [
  defineRoute({
    ...text,
    method: 'GET',
    path: '/workspaces',
    summary: 'Open workspaces, and those opened before',
    body: noBody,
    answers: [{ status: 200, description: 'Workspaces', schema: WorkspaceList }],
    handle: async ({ deps: { workspaces } }) => {
      const open = workspaces.list()
      const [recents, ...rows] = await Promise.all([
        workspaces.recents(),
        ...open.map((workspace) => describeWorkspace(workspace, workspaces.currentId)),
      ])
      return { rows, recents, total: rows.length }
    },
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/workspaces',
    summary: 'Open a workspace folder, a folder that holds workspace/, or a lone Parquet file; creates nothing',
    body: OpenWorkspace,
    answers: [{ status: 201, description: 'The open workspace', schema: Workspace }],
    errors: ['workspace_not_found', 'not_a_workspace', 'path_not_allowed'],
    handle: async ({ deps: { workspaces }, body }) => {
      const opened = await workspaces.open(body.path)
      return describeWorkspace(opened, workspaces.currentId)
    },
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/workspaces/{id}/activate',
    summary: 'Make a workspace the current one',
    body: noBody,
    answers: [{ status: 200, description: 'The workspace', schema: Workspace }],
    errors: ['workspace_not_found'],
    handle: ({ deps: { workspaces }, params }) => {
      const active = workspaces.activate(pathParameter(params, 'id'))
      return describeWorkspace(active, workspaces.currentId)
    },
  }),
  defineRoute({
    ...text,
    method: 'DELETE',
    path: '/workspaces/{id}',
    summary: 'Close a workspace and forget it; deletes none of its files',
    body: noBody,
    answers: [{ status: 200, description: 'What was forgotten', schema: z.object({ id: z.string(), path: z.string() }) }],
    errors: ['workspace_not_found'],
    handle: ({ deps: { workspaces }, params }) => {
      const { id, path } = workspaces.forget(pathParameter(params, 'id'))
      return { id, path }
    },
  }),
]
