import type { Job, MigrateStatus, StorageStatus } from '@nirs-workspace/types'
import { getRouteApi } from '@tanstack/react-router'
import { CircleCheck } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useMigrateStatus, useStorageStatus } from '../../api/is-behind.ts'
import { migrationReport } from '../../api/reports.ts'
import { isRunning, useWorkspace, useWorkspaceJobs } from '../../api/workspace.tsx'
import { useText } from '../../text/text.tsx'
import { Notice } from '../../ui/notice.tsx'
import { ErrorMessage, Loading, Message, Skeleton } from '../../ui/states.tsx'
import { FailedMigration } from './failed-migration.tsx'
import { MigrationProgress } from './migration-progress.tsx'
import { MigrationReportView } from './migration-report.tsx'
import { PlanReview } from './plan-review.tsx'
import { RolledBack, useFreshRollback } from './rolled-back.tsx'
import { type Step, Steps } from './steps.tsx'

const route = getRouteApi('/settings/migration')

/** The whole way from a legacy store to Parquet on one page; what it shows follows from the server's state, so a reload finds it again. */
export const MigrationPage = () => {
  const { migration } = useText()
  const workspace = useWorkspace()
  const jobs = useWorkspaceJobs(workspace.id)
  const status = useMigrateStatus(workspace.id, jobs)
  const storage = useStorageStatus(workspace.id, jobs)
  const rolledBack = useFreshRollback(jobs)
  const isFreshlyRefused = useFreshRefusal(jobs)
  const isMigratedMeanwhile = useMigratedMeanwhile(workspace.id, status.data, jobs)
  const working = useJobAtWork(jobs, (status.data === undefined && !status.isError) || status.behind)
  if (working === undefined && status.isError) return <ErrorMessage error={status.error} onRetry={() => void status.refetch()} />
  if (working === undefined && storage.isError) return <ErrorMessage error={storage.error} onRetry={() => void storage.refetch()} />
  const known = status.data === undefined || storage.data === undefined ? undefined : { status: status.data, storage: storage.data }
  const stage = working === undefined ? known && stageOf(known.status, jobs) : ({ name: 'running', job: working } as const)
  if (stage === undefined) {
    return (
      <Loading>
        <Skeleton className="h-80" />
      </Loading>
    )
  }
  return (
    <div className="grid grid-cols-1 gap-5">
      <div>
        <h2 className="text-lg font-semibold">{migration.title}</h2>
        <p className="text-muted">{migration.intro}</p>
      </div>
      {rolledBack === undefined ? null : <RolledBack job={rolledBack} />}
      {isFreshlyRefused ? (
        <div role="alert">
          <Notice tone="warning">{migration.refused}</Notice>
        </div>
      ) : null}
      {isMigratedMeanwhile ? (
        <div role="status">
          <Notice tone="info">{migration.meanwhile}</Notice>
        </div>
      ) : null}
      {stage.name === 'nothing' || isRollback(stage) ? null : <Steps current={stepOf(stage)} />}
      {stage.name === 'running' ? <MigrationProgress job={stage.job} /> : null}
      {stage.name === 'running' || known === undefined ? null : <Stage stage={stage} status={known.status} storage={known.storage} />}
    </div>
  )
}

type StageState =
  | { name: 'running'; job: Job }
  | { name: 'report' }
  | { name: 'failed'; job: Job }
  | { name: 'review' }
  | { name: 'nothing' }

/** Exported for tests: which screen the facts call for. */
export const stageOf = (status: MigrateStatus, jobs: readonly Job[]): StageState => {
  const own = jobs.filter(isOwn)
  const running = own.find(isRunning)
  if (running !== undefined) return { name: 'running', job: running }
  const last = own.find((job) => job.kind === 'migrate')
  if (status.migration_needed) {
    return last !== undefined && own[0] === last && last.error !== null && !isRefused(last)
      ? { name: 'failed', job: last }
      : { name: 'review' }
  }
  return status.last_report === null && (last === undefined || migrationReport(last) === undefined)
    ? { name: 'nothing' }
    : { name: 'report' }
}

const isOwn = ({ kind }: Job): boolean => kind === 'migrate' || kind === 'rollback'

/** Milliseconds after its end within which a page that is opened says that a job has ended, until it knows what the job has changed. */
const justEnded = 60_000

/** The job that the page shows at work: one that runs, or one whose end the state of the workspace does not tell yet. */
const useJobAtWork = (jobs: readonly Job[], untold: boolean): Job | undefined => {
  const [openedAt] = useState(Date.now)
  const last = jobs.find(isOwn)
  const running = jobs.find((job) => isOwn(job) && isRunning(job))
  if (running !== undefined || !untold || last?.state !== 'completed') return running
  return openedAt - Date.parse(last.ended_at ?? '') < justEnded ? last : undefined
}

/** The workspace had changed since the preview: the job ended before it began, which is no failure to tell every later reader of. */
const isRefused = ({ error, progress }: Job): boolean =>
  error?.code === 'plan_stale' && ['queued', 'recover', 'plan'].includes(progress.phase)

/** Such a job that ended while this page was open. */
const useFreshRefusal = ([last]: readonly Job[]): boolean => {
  const [openedAt] = useState(Date.now)
  return last?.ended_at != null && last.kind === 'migrate' && isRefused(last) && Date.parse(last.ended_at) >= openedAt
}

/** A migration that was needed when this page was opened and is not any more, by no job of this server. */
const useMigratedMeanwhile = (workspace: string, status: MigrateStatus | undefined, jobs: readonly Job[]): boolean => {
  const [openedAt] = useState(Date.now)
  const [neededBy, setNeededBy] = useState<string>()
  if (status?.migration_needed === true && neededBy !== workspace) setNeededBy(workspace)
  const isOurs = jobs.some((job) => job.kind === 'migrate' && (isRunning(job) || Date.parse(job.ended_at ?? '') >= openedAt))
  return status?.migration_needed === false && neededBy === workspace && !isOurs
}

const isRollback = (stage: StageState): boolean => stage.name === 'running' && stage.job.kind === 'rollback'

const stepOf = (stage: StageState): Step => {
  if (stage.name === 'running') return 'migrate'
  return stage.name === 'report' ? 'done' : 'review'
}

interface StageProps {
  readonly stage: Exclude<StageState, { name: 'running' }>
  readonly status: MigrateStatus
  readonly storage: StorageStatus
}

const Stage = ({ stage, status, storage }: StageProps): ReactNode => {
  const { step } = route.useSearch()
  const jobs = useWorkspaceJobs(useWorkspace().id)
  switch (stage.name) {
    case 'report': {
      const report = status.last_report ?? jobs.map(migrationReport).find((found) => found !== undefined)
      return report === undefined ? null : <MigrationReportView report={report} status={status} />
    }
    case 'failed':
      return step === 'review' ? <PlanReview status={status} storage={storage} asked /> : <FailedMigration job={stage.job} />
    case 'review':
      return <PlanReview status={status} storage={storage} asked={step === 'review'} />
    case 'nothing':
      return <Nothing mode={storage.storage_mode} />
  }
}

const Nothing = ({ mode }: { mode: StorageStatus['storage_mode'] }) => {
  const { migration } = useText()
  const reasons: Partial<Record<StorageStatus['storage_mode'], string>> = migration.notNeededBody
  return (
    <Message icon={CircleCheck} title={migration.notNeeded}>
      {reasons[mode] ?? migration.notNeededBody.migrated}
    </Message>
  )
}
