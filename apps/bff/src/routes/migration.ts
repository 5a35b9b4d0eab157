import { refuseHeldStore, refuseStalePlan, StorageError } from '@nirs-workspace/storage'
import { JobStarted, MigrateRequest, MigrateStatus, MigrationPlan } from '@nirs-workspace/types'
import * as z from 'zod'
import type { NewJob } from '../jobs/jobs.ts'
import type { AppDeps } from '../server/app-deps.ts'
import { DeletedBackup } from '../workspaces/workspace-facts.ts'
import { defineRoute, noBody } from './define-route.ts'
import { readErrors } from './workspace-errors.ts'
import { onlyWorkspace } from './workspace-query.ts'

const text = { tag: 'Migration', query: onlyWorkspace } as const
const started = [{ status: 202, description: 'The job has started; its progress comes as events', schema: JobStarted }]
/** Why a job does not begin; what it meets then comes at its end. */
const errors = ['workspace_not_found', 'workspace_busy', 'read_only'] as const

/** Starts a job on a workspace that may be changed. */
const startJob = async (deps: AppDeps, workspaceId: string | undefined, job: Omit<NewJob, 'workspace'>): Promise<JobStarted> => {
  const workspace = await deps.workspaces.present(workspaceId)
  if (job.kind !== 'verify') refuseReadOnly(deps)
  const { duckdb } = workspace.resolved
  // A job of ours that holds the store is told of as such.
  if (duckdb !== null && deps.jobs.runningOn(workspace.path) === undefined) await refuseHeldStore(duckdb)
  return { job_id: deps.jobs.start({ ...job, workspace: { id: workspace.id, path: workspace.path } }).job_id }
}

const refuseReadOnly = (deps: AppDeps): void => {
  if (deps.readOnly) {
    throw new StorageError('read_only', 'This server was started with --read-only. Nothing was changed.', {
      hint: 'Start it without that option.',
    })
  }
}

const refuseBusy = (deps: AppDeps, path: string): void => {
  const busy = deps.jobs.runningOn(path)
  if (busy === undefined) return
  throw new StorageError('workspace_busy', `A ${busy.kind} job is at work on this workspace.`, {
    hint: 'Wait until it has ended.',
    job_id: busy.job_id,
  })
}

/** A job that can only be refused does not begin. It looks again itself: the files may change until it holds them. */
const refusePlan = async (deps: AppDeps, workspaceId: string | undefined, planId: string): Promise<void> => {
  const workspace = await deps.workspaces.present(workspaceId)
  refuseReadOnly(deps)
  refuseBusy(deps, workspace.path)
  await refuseStalePlan(workspace.resolved, planId)
}

export const migrationRoutes = [
  defineRoute({
    ...text,
    method: 'GET',
    path: '/workspace/migrate/status',
    summary: 'Whether a migration is needed, what the last one did, whether it can be rolled back',
    body: noBody,
    answers: [{ status: 200, description: 'The status', schema: MigrateStatus }],
    errors: readErrors,
    handle: async ({ deps, query }) => deps.facts.migrateStatus(await deps.workspaces.present(query.workspace)),
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/workspace/migrate',
    summary: 'With dry_run: the plan, made by reading only. Otherwise starts the migration; plan_id binds it to a plan',
    body: MigrateRequest,
    bodyRequired: true,
    answers: [
      {
        status: 200,
        description: 'The plan of a dry run, or (202) the job that has started',
        schema: z.union([MigrationPlan, JobStarted]),
      },
      ...started,
    ],
    errors: [...errors, ...readErrors, 'body_required', 'plan_stale', 'not_migratable'],
    handle: async ({ deps, query, body, request }) => {
      if (!body.dry_run) {
        if (body.plan_id !== undefined) await refusePlan(deps, query.workspace, body.plan_id)
        const job = await startJob(deps, query.workspace, { kind: 'migrate', planId: body.plan_id, batchSize: body.batch_size })
        return Response.json(job, { status: 202 })
      }
      const workspace = await deps.workspaces.present(query.workspace)
      refuseBusy(deps, workspace.path)
      return deps.tasks.run({ task: 'plan_migration', path: workspace.path }, MigrationPlan, request.signal)
    },
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/workspace/migrate/rollback',
    summary: 'Puts the original store back; force also when the workspace was changed since (the newer state is kept aside)',
    body: z.object({ force: z.boolean().default(false) }),
    answers: started,
    errors: [...errors, 'store_locked'],
    handle: ({ deps, query, body }) => startJob(deps, query.workspace, { kind: 'rollback', force: body.force }),
  }),
  defineRoute({
    ...text,
    method: 'POST',
    path: '/workspace/migrate/verify',
    summary: 'Checks every value and the migration proof again',
    body: z.object({ depth: z.enum(['quick', 'deep']).default('deep') }),
    answers: started,
    errors: ['workspace_not_found', 'workspace_busy', 'store_locked'],
    handle: ({ deps, query, body }) => startJob(deps, query.workspace, { kind: 'verify', depth: body.depth }),
  }),
  defineRoute({
    ...text,
    method: 'DELETE',
    path: '/workspace/migrate/backup',
    summary: 'Deletes the kept original; rolling back is impossible afterwards',
    body: noBody,
    answers: [{ status: 200, description: 'What was deleted', schema: DeletedBackup }],
    errors: [...errors, ...readErrors, 'backup_not_found'],
    handle: async ({ deps, query }) => {
      refuseReadOnly(deps)
      const workspace = await deps.workspaces.present(query.workspace)
      refuseBusy(deps, workspace.path)
      const deleted = await deps.tasks.run({ task: 'delete_backup', path: workspace.path }, DeletedBackup)
      deps.facts.forget(workspace)
      return deleted
    },
  }),
]
