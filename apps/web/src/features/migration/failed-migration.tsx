import type { Job } from '@nirs-workspace/types'
import { getRouteApi } from '@tanstack/react-router'
import { CircleAlert, ShieldCheck } from 'lucide-react'
import { useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'

const route = getRouteApi('/settings/migration')

/** What happened, what it means for the data (nothing), and how to go on. */
export const FailedMigration = ({ job }: { job: Job }) => {
  const { migration } = useText()
  const navigate = route.useNavigate()
  const title = job.state === 'cancelled' || job.state === 'interrupted' ? migration.failedTitle[job.state] : migration.failedTitle.failed
  return (
    <section className="card grid grid-cols-1 gap-4 p-5">
      <h3 className="flex items-center gap-2 text-base font-semibold">
        <CircleAlert size={19} aria-hidden className="text-danger" /> {title}
      </h3>
      {job.error === null ? null : (
        <div>
          <p className="font-medium">{job.error.title}</p>
          <p className="text-muted">{job.error.detail}</p>
          {job.error.hint === undefined ? null : <p className="mt-1">{job.error.hint}</p>}
        </div>
      )}
      <p className="flex items-start gap-2 rounded-md bg-success-soft px-3 py-2">
        <ShieldCheck size={18} aria-hidden className="mt-0.5 shrink-0 text-success" />
        <span>
          <strong className="font-semibold">{migration.untouched}</strong> {migration.untouchedBody}
        </span>
      </p>
      <div>
        <Button tone="primary" onClick={() => void navigate({ search: { step: 'review' } })}>
          {migration.again}
        </Button>
      </div>
    </section>
  )
}
