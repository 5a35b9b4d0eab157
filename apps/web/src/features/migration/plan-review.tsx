import type { MigrateStatus, MigrationPlan, StorageStatus } from '@nirs-workspace/types'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Play, RefreshCw, ScanSearch } from 'lucide-react'
import { useEffect } from 'react'
import { startMigration } from '../../api/actions.ts'
import { isApiError } from '../../api/client.ts'
import { refreshStatus, refreshWorkspace } from '../../api/events.ts'
import { jobsQuery, migrateStatusQuery, migrationPlanQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { useErrorText } from '../../text/error-text.ts'
import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { PlanTable } from './plan-table.tsx'
import { PlanTotals } from './plan-totals.tsx'
import { Warnings } from './warnings.tsx'

const route = getRouteApi('/settings/migration')

interface ReviewProps {
  readonly status: MigrateStatus
  readonly storage: StorageStatus
  /** The address asks for the plan, so it is made without another click. */
  readonly asked: boolean
}

export const PlanReview = ({ status, storage, asked }: ReviewProps) => {
  const { migration, banner } = useText()
  const workspace = useWorkspace()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const plan = useQuery({ ...migrationPlanQuery(workspace.id), enabled: asked })
  const isLookingAgain = useQuery(migrateStatusQuery(workspace.id)).isFetching
  const { error } = plan
  useEffect(() => {
    if (isOutdated(error)) refreshStatus(client, workspace.id)
  }, [client, error, workspace.id])
  if (storage.read_only) return <Notice tone="info">{migration.readOnly}</Notice>
  if (!asked) {
    return (
      <section className="card flex flex-wrap items-center gap-4 p-4">
        <p className="min-w-60 flex-1">{estimateOf(status, migration.estimateLine) ?? banner.noEstimate}</p>
        <Button tone="primary" onClick={() => void navigate({ search: { step: 'review' } })}>
          <ScanSearch size={16} aria-hidden /> {migration.preview}
        </Button>
      </section>
    )
  }
  if (plan.isError) {
    if (isOutdated(error) && isLookingAgain) return <Planning />
    return (
      <section className="card">
        <ErrorMessage error={plan.error} onRetry={() => void plan.refetch()} />
      </section>
    )
  }
  if (plan.data === undefined) return <Planning />
  return <Plan plan={plan.data} madeAt={plan.dataUpdatedAt} isRenewed={plan.isFetching} onRefresh={() => void plan.refetch()} />
}

/** The workspace is not as the status says, which has brought the reader here. */
const isOutdated = (error: Error | null): boolean => isApiError(error, 'plan_stale', 'not_migratable')

const estimateOf = (status: MigrateStatus, line: (rows: number, seconds: number, before: number, after: number) => string) =>
  status.legacy_row_count === null || status.estimated_duration_seconds === null || status.bytes_estimated === null
    ? undefined
    : line(status.legacy_row_count, status.estimated_duration_seconds, status.store_bytes, status.bytes_estimated)

const Planning = () => {
  const { migration } = useText()
  return (
    <section className="card p-4">
      <p className="mb-3 text-muted">{migration.previewing}</p>
      <Loading>
        <Skeleton className="h-64" />
      </Loading>
    </section>
  )
}

interface PlanProps {
  readonly plan: MigrationPlan
  /** Milliseconds since 1970. */
  readonly madeAt: number
  /** A newer one is being made: this one is to be seen still, but not to be begun. */
  readonly isRenewed: boolean
  readonly onRefresh: () => void
}

const Plan = ({ plan, madeAt, isRenewed, onRefresh }: PlanProps) => {
  const { migration } = useText()
  const errorText = useErrorText()
  const workspace = useWorkspace()
  const client = useQueryClient()
  const navigate = route.useNavigate()
  const start = useMutation({
    mutationFn: () => startMigration(workspace.id, plan.plan_id),
    onSuccess: async () => {
      await client.invalidateQueries(jobsQuery())
      client.removeQueries(migrationPlanQuery(workspace.id))
      refreshWorkspace(client, workspace.id)
      await navigate({ search: {}, replace: true })
    },
    onError: (error) => {
      if (isOutdated(error)) refreshStatus(client, workspace.id)
    },
  })
  // A refusal is of the plan that was to be begun, not of one that was made since.
  const isRefused = start.isError && start.submittedAt >= madeAt
  const tight = plan.free_bytes_needed > plan.free_bytes_available
  return (
    <section aria-labelledby="plan-title" aria-busy={isRenewed} className="card p-4">
      <div className="mb-4 flex flex-wrap items-start gap-3">
        <div className="min-w-60 flex-1">
          <h3 id="plan-title" className="text-base font-semibold">
            {migration.planTitle}
          </h3>
          <p className="text-muted">{isRenewed ? migration.previewing : migration.planNote}</p>
        </div>
        <Button onClick={onRefresh}>
          <RefreshCw size={16} aria-hidden /> {migration.refreshPlan}
        </Button>
        <Button tone="primary" disabled={tight || isRenewed || start.isPending} onClick={() => start.mutate()}>
          <Play size={16} aria-hidden /> {start.isPending ? migration.starting : migration.start}
        </Button>
      </div>
      {tight ? <Notice tone="danger">{migration.littleSpace}</Notice> : null}
      {isRefused ? (
        <div role="alert" className="mb-4">
          <Notice tone="danger">
            {isApiError(start.error, 'store_locked') ? <strong>{migration.lockedTitle}. </strong> : null}
            {errorText(start.error)}
          </Notice>
        </div>
      ) : null}
      <PlanTotals plan={plan} />
      <Warnings warnings={plan.warnings} />
      <PlanTable plan={plan} />
    </section>
  )
}
