import type { Job, MigrateStatus, VerifyReport } from '@nirs-workspace/types'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { verifyMigration } from '../../api/actions.ts'
import { knownFraction } from '../../api/known-fraction.ts'
import { jobsQuery, migrateStatusQuery } from '../../api/queries.ts'
import { verifyReport } from '../../api/reports.ts'
import { isRunning, useWorkspace, useWorkspaceJobs } from '../../api/workspace.tsx'
import { useNow } from '../../stores/clock.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Card } from '../../ui/page.tsx'
import { ProgressBar } from '../../ui/progress-bar.tsx'

/** Reads everything again, compares it with checksums and with the migration's proof where there is one, and says what was found. */
export const IntegrityCheck = () => {
  const { storage } = useText()
  const errorText = useErrorText()
  const workspace = useWorkspace()
  const jobs = useWorkspaceJobs(workspace.id)
  const job = jobs.find((each) => each.kind === 'verify')
  const { data: status } = useQuery(migrateStatusQuery(workspace.id))
  const client = useQueryClient()
  const check = useMutation({
    mutationFn: () => verifyMigration(workspace.id),
    onSuccess: () => client.invalidateQueries(jobsQuery()),
  })
  const busy = check.isPending || jobs.some(isRunning)
  const noProof = status !== undefined && status.proof_path === null
  return (
    <Card
      title={storage.check}
      aside={
        <Button onClick={() => check.mutate()} disabled={busy}>
          <ShieldCheck size={16} aria-hidden /> {job !== undefined && isRunning(job) ? storage.checking : storage.check}
        </Button>
      }
    >
      {noProof ? <p className="text-muted">{storage.noProof}</p> : null}
      {check.isError ? (
        <p role="alert" className="text-danger">
          {errorText(check.error)}
        </p>
      ) : null}
      {job === undefined ? null : isOutdated(job, jobs, status) ? <Outdated job={job} /> : <CheckState job={job} />}
    </Card>
  )
}

/**
 * Whether a check that has ended was of a state before a migration or a roll back: by the jobs, and by the proof that is there now but was
 * not then, or the other way round, when another program did it.
 */
const isOutdated = (check: Job, jobs: readonly Job[], status: MigrateStatus | undefined): boolean => {
  const { ended_at } = check
  if (ended_at === null) return false
  const changed = (job: Job) => job.kind !== 'verify' && job.state === 'completed' && job.ended_at !== null && job.ended_at > ended_at
  const report = verifyReport(check)
  if (jobs.some(changed)) return true
  if (report === undefined || status === undefined) return false
  return status.proof_path === null ? report.proof_holds === true : report.proof_holds === null && report.depth === 'deep'
}

const Outdated = ({ job }: { job: Job }) => {
  const { storage } = useText()
  const format = useFormat()
  const now = useNow()
  return <p>{storage.outdatedCheck(format.ago(job.ended_at ?? job.created_at, now))}</p>
}

const CheckState = ({ job }: { job: Job }) => {
  const { storage, jobs } = useText()
  const format = useFormat()
  const now = useNow()
  const report = verifyReport(job)
  if (isRunning(job)) {
    const { progress } = job
    return (
      <div className="grid grid-cols-1 gap-1.5">
        <ProgressBar fraction={knownFraction(progress)} label={jobs.kinds.verify} />
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          {progress.total_rows === 0 ? null : <span>{jobs.rowsOf(progress.done_rows, progress.total_rows)}</span>}
          {progress.total_bytes === 0 ? null : <span>{jobs.bytesOf(progress.done_bytes, progress.total_bytes)}</span>}
        </p>
      </div>
    )
  }
  return (
    <div className="grid grid-cols-1 gap-2">
      {report === undefined ? <p className="text-danger">{job.error?.detail ?? jobs.states[job.state]}</p> : <Report report={report} />}
      {job.ended_at === null ? null : <p className="text-xs text-muted">{storage.lastCheck(format.ago(job.ended_at, now))}</p>}
    </div>
  )
}

const severityTone: Record<'info' | 'warning' | 'error', Tone> = { info: 'info', warning: 'warning', error: 'danger' }

const Report = ({ report }: { report: VerifyReport }) => {
  const { storage } = useText()
  const names: Readonly<Record<string, string>> = storage.findingCodes
  return (
    <>
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={report.passed ? 'success' : 'danger'}>
          {report.passed ? storage.healthy : storage.findings(report.findings.length)}
        </Badge>
        {report.passed ? <span>{storage.healthyBody(report.rows_checked, report.duration_seconds)}</span> : null}
        {report.proof_holds === null ? null : <span>{report.proof_holds ? storage.proofHolds : storage.proofBroken}</span>}
      </p>
      <ul className="grid grid-cols-1 gap-1.5">
        {report.findings.map((finding) => (
          <li key={`${finding.code} ${finding.dataset_name ?? ''} ${finding.detail}`} className="flex items-start gap-2">
            <Badge tone={severityTone[finding.severity]}>{names[finding.code] ?? finding.code}</Badge>
            <span>{finding.detail}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
