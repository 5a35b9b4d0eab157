import type { RunRow } from '@nirs-workspace/types'
import { Link } from '@tanstack/react-router'
import { paths } from '../../paths.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Card } from '../../ui/page.tsx'
import { RunStatus } from '../../ui/run-status.tsx'

export const RecentRuns = ({ runs }: { runs: readonly RunRow[] }) => {
  const { overview, common } = useText()
  const format = useFormat()
  return (
    <Card
      title={overview.recentRuns}
      aside={
        <Link to={paths.runs} className="font-medium text-accent hover:underline">
          {overview.allRuns}
        </Link>
      }
    >
      {runs.length === 0 ? <p className="text-muted">{overview.noRuns}</p> : null}
      <ul className="divide-y divide-line">
        {runs.map((run) => (
          <li key={run.run_id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2">
            <Link
              to={paths.predictions}
              search={{ run_id: [run.run_id] }}
              className="min-w-40 flex-1 truncate font-medium text-accent hover:underline"
            >
              {run.name}
            </Link>
            <RunStatus status={run.status} error={run.error} />
            <span className="text-muted">{common.predictions(run.n_predictions)}</span>
            <span className="text-muted">{run.created_at === null ? '' : format.dateTime(run.created_at)}</span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
