import type { Job, JobProgress } from '@nirs-workspace/types'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Check, LoaderCircle } from 'lucide-react'
import { useEffect, useState } from 'react'
import { cancelJob } from '../../api/actions.ts'
import { knownFraction } from '../../api/known-fraction.ts'
import { jobsQuery } from '../../api/queries.ts'
import { isRunning } from '../../api/workspace.tsx'
import { showToast } from '../../stores/toast.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ProgressBar } from '../../ui/progress-bar.tsx'

/** Live progress, and the moment until the page knows what the job has changed: phase, rows per second, time left, each dataset, and what happened so far. */
export const MigrationProgress = ({ job }: { job: Job }) => {
  const { migration, jobs } = useText()
  const format = useFormat()
  const { progress } = job
  const running = isRunning(job)
  const name = job.kind === 'migrate' ? migration.running : jobs.kinds[job.kind]
  const fraction = running ? knownFraction(progress) : 1
  const percent = fraction === undefined ? undefined : format.progress(fraction)
  useTabTitle(percent === undefined ? name : migration.tabTitle(percent))
  return (
    <section aria-labelledby="progress-title" className="card p-4">
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <h3 id="progress-title" className="flex flex-1 items-center gap-2 text-base font-semibold">
          <LoaderCircle size={17} aria-hidden className="animate-spin text-accent" />
          {percent === undefined ? name : `${name} · ${percent}`}
        </h3>
        {running ? <Cancel job={job} /> : null}
      </div>
      <ProgressBar fraction={fraction} label={jobs.kinds[job.kind]} />
      <p className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-muted">
        <span aria-live="polite" className="font-medium text-ink">
          {!running ? migration.finishing : job.kind === 'migrate' ? jobs.phases[progress.phase] : progress.message}
        </span>
        {progress.total_rows === 0 ? null : <span>{jobs.rowsOf(progress.done_rows, progress.total_rows)}</span>}
        {progress.total_bytes === 0 ? null : <span>{jobs.bytesOf(progress.done_bytes, progress.total_bytes)}</span>}
        {!running || progress.rows_per_second === null ? null : <span>{jobs.rate(progress.rows_per_second)}</span>}
        {!running || progress.eta_seconds === null || progress.eta_seconds < 1 ? null : <span>{jobs.eta(progress.eta_seconds)}</span>}
      </p>
      {running ? <p className="mt-1 text-xs text-muted">{migration.leave}</p> : null}
      <DatasetProgress progress={progress} />
      <Log key={job.job_id} progress={progress} />
    </section>
  )
}

const Cancel = ({ job }: { job: Job }) => {
  const { migration } = useText()
  const errorText = useErrorText()
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => cancelJob(job.job_id),
    onSuccess: () => client.invalidateQueries(jobsQuery()),
    onError: (error) => showToast('danger', errorText(error)),
  })
  // Nor can a roll back be cancelled, a recovery, or a job of another server.
  if (!job.cancellable) {
    return job.progress.phase === 'commit' ? <span className="text-xs text-muted">{migration.notCancellable}</span> : null
  }
  return (
    <Button tone="danger" disabled={cancel.isPending || cancel.isSuccess} onClick={() => cancel.mutate()}>
      {cancel.isPending || cancel.isSuccess ? migration.cancelling : job.kind === 'migrate' ? migration.cancel : migration.cancelOther}
    </Button>
  )
}

const DatasetProgress = ({ progress }: { progress: JobProgress }) => {
  const text = useText()
  const { migration, jobs } = text
  return (
    <ul className="mt-4 grid max-h-96 gap-2 overflow-y-auto">
      {progress.datasets.map((dataset) => (
        <li key={dataset.name} className="grid items-center gap-x-4 gap-y-1 sm:grid-cols-[minmax(8rem,14rem)_1fr_auto]">
          <span className="truncate font-medium" title={datasetLabel(dataset.name, text)}>
            {datasetLabel(dataset.name, text)}
          </span>
          <ProgressBar slim fraction={dataset.rows === 0 ? 1 : dataset.done_rows / dataset.rows} label={datasetLabel(dataset.name, text)} />
          <span className="flex items-center gap-2 text-xs text-muted">
            {jobs.rowsOf(dataset.done_rows, dataset.rows)}
            <Badge tone={dataset.state === 'done' ? 'success' : dataset.state === 'waiting' ? 'neutral' : 'info'}>
              {dataset.state === 'done' ? <Check size={11} aria-hidden /> : null}
              {migration.datasetStates[dataset.state]}
            </Badge>
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Lines kept of the messages that arrived while the page was open. */
const maxLines = 200

const Log = ({ progress }: { progress: JobProgress }) => {
  const { migration } = useText()
  const [lines, setLines] = useState<readonly string[]>([])
  if (progress.message !== '' && lines.at(-1) !== progress.message) setLines([...lines.slice(1 - maxLines), progress.message])
  if (lines.length === 0) return null
  return (
    <details className="mt-4" open>
      <summary className="font-semibold">{migration.log}</summary>
      <ol className="mt-1 flex max-h-48 flex-col-reverse overflow-y-auto rounded-md bg-sunken p-2 font-mono text-xs">
        {lines.toReversed().map((line, place) => (
          <li key={lines.length - place}>{line}</li>
        ))}
      </ol>
    </details>
  )
}

const useTabTitle = (title: string): void => {
  useEffect(() => {
    const before = document.title
    document.title = title
    return () => {
      // The page that comes next may have named the tab already.
      if (document.title === title) document.title = before
    }
  }, [title])
}
