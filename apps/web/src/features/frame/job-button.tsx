import { ListTodo, LoaderCircle } from 'lucide-react'
import { knownFraction } from '../../api/known-fraction.ts'
import { isRunning, useJobs } from '../../api/workspace.tsx'
import { useFormat, useText } from '../../text/text.tsx'
import { IconButton } from '../../ui/button.tsx'
import { ProgressBar } from '../../ui/progress-bar.tsx'

/** Opens the jobs; while one runs it shows how far it is, on every page. */
export const JobButton = ({ onOpen }: { onOpen: () => void }) => {
  const { jobs } = useText()
  const format = useFormat()
  const running = useJobs().filter(isRunning)
  const [job] = running
  if (job === undefined) {
    return (
      <IconButton label={jobs.open(0)} onClick={onOpen} aria-haspopup="dialog">
        <ListTodo size={18} aria-hidden />
      </IconButton>
    )
  }
  const fraction = knownFraction(job.progress)
  const label = fraction === undefined ? jobs.kinds[job.kind] : jobs.pill(jobs.kinds[job.kind], format.progress(fraction))
  return (
    <button
      type="button"
      onClick={onOpen}
      aria-haspopup="dialog"
      title={jobs.open(running.length)}
      className="flex h-9 min-w-36 flex-col justify-center gap-1 rounded-md border border-line px-2.5 text-left hover:bg-hover max-sm:min-w-20"
    >
      <span className="flex items-center gap-1.5 text-xs leading-none font-medium">
        <LoaderCircle size={12} aria-hidden className="animate-spin text-accent" />
        <span className="max-sm:sr-only">{label}</span>
        {running.length > 1 ? <span className="text-muted">+{format.int(running.length - 1)}</span> : null}
      </span>
      <span aria-hidden className="block w-full">
        <ProgressBar slim fraction={fraction} label={label} />
      </span>
    </button>
  )
}
