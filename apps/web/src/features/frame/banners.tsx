import type { Job, MigrateStatus, StorageStatus, Workspace } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useStorageStatus } from '../../api/is-behind.ts'
import { migrateStatusQuery } from '../../api/queries.ts'
import { useLostArrays } from '../../api/use-lost-arrays.ts'
import { whyUnreadable } from '../../api/why-unreadable.ts'
import { isRunning, useWorkspaceJobs } from '../../api/workspace.tsx'
import { quotedPath } from '../../lib/command-line.ts'
import { paths } from '../../paths.ts'
import { useText } from '../../text/text.tsx'
import { buttonClass, IconButton } from '../../ui/button.tsx'
import { CommandText, Notice } from '../../ui/notice.tsx'
import { UnreadableBanner } from './unreadable-banner.tsx'

/** What the reader should know about this workspace before trusting or changing anything, on every page. */
export const Banners = ({ workspace }: { workspace: Workspace }) => {
  const { banner } = useText()
  const jobs = useWorkspaceJobs(workspace.id)
  const { data: status, behind } = useStorageStatus(workspace.id, jobs)
  const holder = status?.locked_by ?? workspace.writer
  return (
    <section aria-label={banner.label} className="flex shrink-0 flex-col empty:hidden">
      <UnreadableBanner workspace={workspace} />
      {status === undefined ? null : <ModeBanner key={workspace.id} workspace={workspace} status={status} jobs={jobs} behind={behind} />}
      {holder === null ? null : <Line tone="warning">{banner.locked(holder.pid, 'command' in holder ? holder.command : undefined)}</Line>}
      {status?.interrupted_job == null ? null : <Interrupted kind={status.interrupted_job.kind} />}
    </section>
  )
}

interface ModeProps {
  readonly workspace: Workspace
  readonly status: StorageStatus
  readonly jobs: readonly Job[]
  /** The status does not know yet what the last job has changed. */
  readonly behind: boolean
}

const ModeBanner = ({ workspace, status, jobs, behind }: ModeProps) => {
  const { banner } = useText()
  const [hidden, setHidden] = useState({ migration: false, lost: false })
  const running = jobs.some((job) => job.kind === 'migrate' && isRunning(job))
  const dismiss = (which: 'migration' | 'lost') => (
    <IconButton label={banner.dismiss} onClick={() => setHidden((before) => ({ ...before, [which]: true }))}>
      <X size={16} aria-hidden />
    </IconButton>
  )
  if (running) return <RunningBanner />
  if (status.rescue_needed || status.storage_mode === 'lost_arrays') {
    return hidden.lost ? null : <LostBanner workspace={workspace} dismiss={dismiss('lost')} />
  }
  if (behind || hidden.migration) return null
  if (!status.migration_needed || whyUnreadable(workspace) !== undefined) return null
  return <MigrationBanner workspace={workspace.id} status={status} dismiss={dismiss('migration')} />
}

const MigrationBanner = ({ workspace, status, dismiss }: { workspace: string; status: StorageStatus; dismiss: ReactNode }) => {
  const { banner } = useText()
  const { data } = useQuery(migrateStatusQuery(workspace))
  const sentence = useEstimate(data)
  return (
    <Line
      tone="warning"
      actions={
        <>
          <Link to={paths.migration} search={{ step: 'review' }} className={buttonClass('plain')}>
            {banner.preview}
          </Link>
          <Link to={paths.migration} className={buttonClass('primary')}>
            {banner.migrate}
          </Link>
          {dismiss}
        </>
      }
    >
      <strong className="font-semibold">{status.storage_mode === 'mid_migration' ? banner.halfTitle : banner.legacyTitle}</strong>{' '}
      {sentence}
    </Line>
  )
}

const useEstimate = (status: MigrateStatus | undefined): string => {
  const { banner } = useText()
  if (status?.estimated_duration_seconds == null || status.bytes_estimated === null) return banner.noEstimate
  return banner.estimate(status.estimated_duration_seconds, status.store_bytes, status.bytes_estimated)
}

const LostBanner = ({ workspace, dismiss }: { workspace: Workspace; dismiss: ReactNode }) => {
  const { banner } = useText()
  const lost = useLostArrays(workspace)
  return (
    <Line tone="danger" actions={dismiss}>
      {lost === undefined ? banner.lostUnknown : banner.lost(lost)}{' '}
      <CommandText>{`npm run -s cli -- rescue ${quotedPath(workspace.path)}`}</CommandText>
    </Line>
  )
}

const RunningBanner = () => {
  const { banner } = useText()
  return (
    <Line
      tone="info"
      actions={
        <Link to={paths.migration} className={buttonClass('plain')}>
          {banner.runningAction}
        </Link>
      }
    >
      {banner.running}
    </Line>
  )
}

const Interrupted = ({ kind }: { kind: string }) => {
  const { banner } = useText()
  const texts: Readonly<Record<string, string>> = banner.interrupted
  const told = texts[kind] ?? banner.interrupted.other
  const isMigration = kind === 'migrate' || kind === 'rollback'
  const link = (
    <Link to={paths.migration} className={buttonClass('plain')}>
      {banner.interruptedAction}
    </Link>
  )
  return (
    <Line tone="warning" actions={isMigration ? link : undefined}>
      {told} {kind === 'recover' ? null : banner.interruptedNext}
    </Line>
  )
}

const Line = ({ tone, children, actions }: { tone: 'info' | 'warning' | 'danger'; children: ReactNode; actions?: ReactNode }) => (
  <div className="border-b border-line">
    <Notice flat tone={tone} actions={actions}>
      {children}
    </Notice>
  </div>
)
