import type { MigrateStatus, MigrationReport } from '@nirs-workspace/types'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { CircleCheck, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { deleteBackup, rollBackMigration, verifyMigration } from '../../api/actions.ts'
import { refreshWorkspace } from '../../api/events.ts'
import { jobsQuery } from '../../api/queries.ts'
import { isRunning, useWorkspace, useWorkspaceJobs } from '../../api/workspace.tsx'
import { paths } from '../../paths.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { Figures } from './plan-totals.tsx'
import { ReportTable } from './report-table.tsx'
import { Warnings } from './warnings.tsx'

interface ReportProps {
  readonly report: MigrationReport
  readonly status: MigrateStatus
}

/** What the migration did, where the proof and the original are, and the two ways on from here. */
export const MigrationReportView = ({ report, status }: ReportProps) => {
  const { migration } = useText()
  const format = useFormat()
  // A status from before the migration does not know of the original that is kept.
  const isKept = status.backup_path !== null || status.last_report === null
  const saved = Math.max(0, report.duckdb_size_before - report.duckdb_size_after - report.parquet_total_size)
  const Icon = report.verification_passed ? CircleCheck : TriangleAlert
  return (
    <section aria-labelledby="report-title" className="card grid grid-cols-1 gap-4 p-4">
      <div className="flex flex-wrap items-start gap-3">
        <Icon size={22} aria-hidden className={report.verification_passed ? 'text-success' : 'text-danger'} />
        <div className="min-w-60 flex-1">
          <h3 id="report-title" className="text-base font-semibold">
            {migration.reportTitle}
          </h3>
          <p className="text-muted">
            {report.verification_passed
              ? migration.reportVerified(report.verification_sample_size)
              : migration.reportMismatch(report.verification_mismatches)}
          </p>
        </div>
        <Link to={paths.predictions} className={buttonClass('primary')}>
          {migration.openResults}
        </Link>
      </div>
      <Figures
        figures={[
          [migration.before, format.bytes(report.duckdb_size_before)],
          [migration.after, format.bytes(report.duckdb_size_after)],
          [migration.parquet, format.bytes(report.parquet_total_size)],
          [isKept ? migration.savedLater : migration.saved, format.bytes(saved)],
          [migration.moved, format.int(report.rows_migrated)],
          [migration.took, format.duration(report.duration_seconds)],
        ]}
      />
      {isKept ? <p className="text-muted">{migration.bothKept(report.duckdb_size_after + report.parquet_total_size)}</p> : null}
      {report.quarantined_rows === 0 ? null : (
        <p className="rounded-md bg-warning-soft px-3 py-2">
          {migration.quarantine(report.quarantined_rows)}
          {report.quarantine_path === null ? null : <code className="ml-2 font-mono text-xs break-all">{report.quarantine_path}</code>}
        </p>
      )}
      {report.warnings.length === 0 ? null : <Warnings warnings={report.warnings} />}
      <div className="grid grid-cols-1 gap-3 md:grid-cols-2">
        <Path title={migration.proof} hint={migration.proofHint} path={report.proof_path} />
        {status.backup_path === null ? null : (
          <div className="grid grid-cols-1 gap-1.5">
            <Path title={migration.backup} hint={format.bytes(status.backup_bytes ?? 0)} path={status.backup_path} />
            {status.backup_wal_path === null ? null : <Copyable value={status.backup_wal_path} label={migration.backupLog} />}
          </div>
        )}
      </div>
      <ReportTable report={report} />
      <Actions status={status} />
    </section>
  )
}

const Path = ({ title, hint, path }: { title: string; hint: string; path: string }) => (
  <div className="min-w-0">
    <p className="mb-1">
      <span className="font-semibold">{title}</span> <span className="text-xs text-muted">{hint}</span>
    </p>
    <Copyable value={path} label={title} />
  </div>
)

const Actions = ({ status }: { status: MigrateStatus }) => {
  const { migration } = useText()
  const errorText = useErrorText()
  const workspace = useWorkspace()
  const client = useQueryClient()
  const [asking, setAsking] = useState<'rollback' | 'backup'>()
  const rollback = useMutation({
    mutationFn: () => rollBackMigration(workspace.id),
    onSuccess: async () => {
      await client.invalidateQueries(jobsQuery())
      refreshWorkspace(client, workspace.id)
    },
    onError: (error) => showToast('danger', errorText(error)),
  })
  const drop = useMutation({
    mutationFn: () => deleteBackup(workspace.id),
    onSuccess: ({ bytes }) => {
      showToast('success', migration.backupDeleted(bytes))
      refreshWorkspace(client, workspace.id)
    },
    onError: (error) => showToast('danger', errorText(error)),
  })
  const navigate = useNavigate()
  const check = useMutation({
    mutationFn: () => verifyMigration(workspace.id),
    onSuccess: async () => {
      await client.invalidateQueries(jobsQuery())
      await navigate({ to: paths.storage, hash: 'check' })
    },
    onError: (error) => showToast('danger', errorText(error)),
  })
  const working = useWorkspaceJobs(workspace.id).some(isRunning)
  const busy = rollback.isPending || drop.isPending || check.isPending || working
  const size = status.backup_bytes ?? 0
  return (
    <div className="flex flex-wrap gap-2 border-t border-line pt-4">
      <Button disabled={busy} onClick={() => check.mutate()}>
        {migration.verifyAgain}
      </Button>
      {status.can_roll_back ? (
        <Button disabled={busy} onClick={() => setAsking('rollback')}>
          {migration.rollback}
        </Button>
      ) : null}
      {status.backup_path === null ? null : (
        <Button tone="danger" disabled={busy} onClick={() => setAsking('backup')}>
          {migration.deleteBackup}
        </Button>
      )}
      <Confirm
        open={asking === 'rollback'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => rollback.mutate()}
        title={migration.rollbackTitle}
        action={migration.rollbackAction}
      >
        {migration.rollbackBody}
      </Confirm>
      <Confirm
        open={asking === 'backup'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => drop.mutate()}
        title={migration.deleteBackupTitle}
        action={migration.deleteBackupAction}
      >
        {migration.deleteBackupBody(size)}
      </Confirm>
    </div>
  )
}
