import type { Job, JobStarted, Workspace } from '@nirs-workspace/types'
import { request } from './client.ts'

/** Everything that the app asks the server to do. Each answers what the server then knows. */
export const openWorkspace = (path: string) => request<Workspace>('/workspaces', { method: 'POST', body: { path } })
export const forgetWorkspace = (id: string) => request<unknown>(`/workspaces/${encodeURIComponent(id)}`, { method: 'DELETE' })
export const activateWorkspace = (id: string) =>
  request<unknown>(`/workspaces/${encodeURIComponent(id)}/activate`, { method: 'POST', body: {} })

export const startMigration = (workspace: string, planId: string) =>
  request<JobStarted>('/workspace/migrate', { method: 'POST', query: { workspace }, body: { dry_run: false, plan_id: planId } })
export const rollBackMigration = (workspace: string) =>
  request<JobStarted>('/workspace/migrate/rollback', { method: 'POST', query: { workspace }, body: {} })
export const verifyMigration = (workspace: string) =>
  request<JobStarted>('/workspace/migrate/verify', { method: 'POST', query: { workspace }, body: {} })
export const deleteBackup = (workspace: string) =>
  request<{ deleted: string[]; bytes: number }>('/workspace/migrate/backup', { method: 'DELETE', query: { workspace } })

export const cancelJob = (jobId: string) => request<Job>(`/jobs/${encodeURIComponent(jobId)}/cancel`, { method: 'POST', body: {} })
