import { Link } from '@tanstack/react-router'
import { LoaderCircle } from 'lucide-react'
import { isRunning, useJobs } from '../../api/workspace.tsx'
import { paths } from '../../paths.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { ProgressBar } from '../../ui/progress-bar.tsx'

/** The running job, on every page; a click shows its progress. */
export const JobPill = () => {
  const { jobs } = useText()
  const format = useFormat()
  const job = useJobs().find(isRunning)
  if (job === undefined) return null
  const label = jobs.pill(jobs.kinds[job.kind], format.percent(job.progress.fraction))
  return (
    <Link
      to={job.kind === 'verify' ? paths.storage : paths.migration}
      search={{ workspace: job.workspace_id }}
      className="flex h-9 min-w-36 flex-col justify-center gap-1 rounded-md border border-line px-2.5 hover:bg-hover"
    >
      <span className="flex items-center gap-1.5 text-xs leading-none font-medium">
        <LoaderCircle size={12} aria-hidden className="animate-spin text-accent" />
        {label}
      </span>
      <ProgressBar slim fraction={job.progress.fraction} label={label} />
    </Link>
  )
}
