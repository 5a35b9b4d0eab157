import type { Job } from '@nirs-workspace/types'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { cancelJob } from '../../api/actions.ts'
import { knownFraction } from '../../api/known-fraction.ts'
import { jobsQuery } from '../../api/queries.ts'
import { migrationReport, rollbackReport } from '../../api/reports.ts'
import { isRunning, useJobs } from '../../api/workspace.tsx'
import { paths } from '../../paths.ts'
import { useNow } from '../../stores/clock.ts'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { Button, buttonClass } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ProgressBar } from '../../ui/progress-bar.tsx'

/** Every job of every workspace, running ones first, over whatever page is open. */
export const JobDrawer = ({ open, onClose }: { open: boolean; onClose: () => void }) => {
  const { jobs } = useText()
  return (
    <Dialog open={open} onClose={onClose} title={jobs.title} drawer>
      <JobList onClose={onClose} />
    </Dialog>
  )
}

const JobList = ({ onClose }: { onClose: () => void }) => {
  const { jobs } = useText()
  const all = useJobs()
  if (all.length === 0) return <p className="text-muted">{jobs.none}</p>
  const ordered = [...all.filter(isRunning), ...all.filter((job) => !isRunning(job))]
  return (
    <ul className="-my-3 divide-y divide-line">
      {ordered.map((job) => (
        <JobItem key={job.job_id} job={job} undone={isUndone(job, all)} onClose={onClose} />
      ))}
    </ul>
  )
}

/** Whether a later roll back has taken this migration back. */
const isUndone = (job: Job, all: readonly Job[]): boolean =>
  migrationReport(job) !== undefined &&
  all.some((other) => rollbackReport(other) !== undefined && other.workspace_id === job.workspace_id && other.created_at > job.created_at)

const tones: Record<Job['state'], Tone> = {
  queued: 'neutral',
  running: 'info',
  completed: 'success',
  failed: 'danger',
  cancelled: 'neutral',
  interrupted: 'warning',
}

const JobItem = ({ job, undone, onClose }: { job: Job; undone: boolean; onClose: () => void }) => {
  const { jobs } = useText()
  const kind = jobs.kinds[job.kind]
  return (
    <li className="grid grid-cols-1 gap-1.5 py-3">
      <p className="flex items-center gap-2">
        <span className="font-medium">{kind}</span>
        <Badge tone={undone ? 'neutral' : tones[job.state]}>{jobs.states[job.state]}</Badge>
        {undone ? <span className="text-xs text-muted">{jobs.undone}</span> : null}
        <span className="flex-1" />
        <CancelButton job={job} />
        {undone || rollbackReport(job) !== undefined ? null : (
          <Link
            to={job.kind === 'migrate' || job.kind === 'rollback' ? paths.migration : paths.storage}
            search={{ workspace: job.workspace_id }}
            onClick={onClose}
            className={buttonClass('quiet', 'h-8! px-2!')}
          >
            {jobs.show}
          </Link>
        )}
      </p>
      <p className="truncate text-xs text-muted" title={job.workspace_path}>
        {job.workspace_path}
      </p>
      {isRunning(job) ? <Progress job={job} /> : <Outcome job={job} />}
    </li>
  )
}

const Progress = ({ job }: { job: Job }) => {
  const { jobs } = useText()
  const format = useFormat()
  const { progress } = job
  const fraction = knownFraction(progress)
  return (
    <>
      <ProgressBar slim fraction={fraction} label={jobs.kinds[job.kind]} />
      <p className="flex flex-wrap gap-x-3 text-xs text-muted">
        {fraction === undefined ? null : <span className="font-medium text-ink">{format.progress(fraction)}</span>}
        <span>{job.kind === 'migrate' ? jobs.phases[progress.phase] : progress.message}</span>
        {progress.total_rows === 0 ? null : <span>{jobs.rowsOf(progress.done_rows, progress.total_rows)}</span>}
        {progress.eta_seconds === null || progress.eta_seconds < 1 ? null : <span>{jobs.eta(progress.eta_seconds)}</span>}
      </p>
    </>
  )
}

const Outcome = ({ job }: { job: Job }) => {
  const { jobs } = useText()
  const format = useFormat()
  const now = useNow()
  const began = job.started_at ?? job.created_at
  return (
    <>
      {job.error === null ? null : <p className="text-danger">{job.error.detail}</p>}
      <p className="text-xs text-muted">
        {job.ended_at === null
          ? jobs.started(format.ago(began, now))
          : jobs.ended(format.ago(job.ended_at, now), format.duration((Date.parse(job.ended_at) - Date.parse(began)) / 1000))}
      </p>
    </>
  )
}

const CancelButton = ({ job }: { job: Job }) => {
  const { jobs } = useText()
  const errorText = useErrorText()
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => cancelJob(job.job_id),
    onSuccess: () => client.invalidateQueries(jobsQuery()),
    onError: (error) => showToast('danger', errorText(error)),
  })
  if (!isRunning(job) || !job.cancellable) return null
  const asked = cancel.isPending || cancel.isSuccess
  return (
    <Button
      tone="danger"
      className="h-8! px-2!"
      disabled={asked}
      aria-label={jobs.cancelName(jobs.kinds[job.kind], job.workspace_path)}
      onClick={() => cancel.mutate()}
    >
      {asked ? jobs.cancelling : jobs.cancel}
    </Button>
  )
}
