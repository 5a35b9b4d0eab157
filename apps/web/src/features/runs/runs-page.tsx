import type { RunBest, RunPage, RunRow } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Navigate } from '@tanstack/react-router'
import { ChevronLeft, ChevronRight, Inbox, SearchX } from 'lucide-react'
import { runsQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { classNames } from '../../lib/class-names.ts'
import { paths } from '../../paths.ts'
import { foldWords } from '../../text/fold-words.ts'
import { metricName } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { DirectionBadge } from '../../ui/direction-badge.tsx'
import { NotUnderstood } from '../../ui/not-understood.tsx'
import { Page } from '../../ui/page.tsx'
import { RunStatus } from '../../ui/run-status.tsx'
import { SearchField } from '../../ui/search-field.tsx'
import { ErrorMessage, Loading, Message, Skeleton } from '../../ui/states.tsx'
import { type RunsSearch, statuses } from './search.ts'

const pageSize = 50
const route = getRouteApi('/runs')

/** All runs, newest first. */
export const RunsPage = () => {
  const { runs, predictions } = useText()
  const workspace = useWorkspace()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const page = search.page ?? 1
  const query = useQuery(
    runsQuery(workspace.id, {
      limit: pageSize,
      offset: (page - 1) * pageSize,
      ...(search.q === undefined ? {} : { q: search.q }),
      ...(search.status === undefined ? {} : { status: search.status }),
    }),
  )
  const filtered = search.q !== undefined || search.status !== undefined
  return (
    <Page wide title={runs.title} aside={query.data === undefined ? null : <p className="font-semibold">{runs.total(query.data.total)}</p>}>
      <NotUnderstood ignored={search.ignored} onClose={() => void navigate({ search: ({ ignored: _, ...rest }) => rest, replace: true })} />
      <Filters />
      {query.isError ? <ErrorMessage error={query.error} onRetry={() => void query.refetch()} /> : null}
      {isAwaited(query) ? (
        <Loading>
          <Skeleton className="h-96" />
        </Loading>
      ) : null}
      {query.data === undefined || query.isPlaceholderData || page <= lastPage(query.data.total) ? null : (
        <Navigate from={paths.runs} search={(before) => atPage(before, lastPage(query.data.total))} replace />
      )}
      {query.data?.total === 0 ? (
        <Message
          icon={filtered ? SearchX : Inbox}
          title={filtered ? runs.filteredTitle : runs.empty}
          action={
            filtered ? (
              <Button tone="primary" onClick={() => void navigate({ search: ({ q: _, status: __, page: ___, ...rest }) => rest })}>
                {predictions.clearAll}
              </Button>
            ) : null
          }
        />
      ) : null}
      {query.data === undefined || query.data.rows.length === 0 ? null : (
        <div className={query.isPlaceholderData ? 'opacity-60' : undefined}>
          <RunTable rows={query.data.rows} />
          <Pager page={page} total={query.data.total} />
        </div>
      )}
    </Page>
  )
}

const Filters = () => {
  const { runs } = useText()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const setWords = (q: string, goesOn: boolean): void => {
    void navigate({ search: ({ page: _, q: __, ...rest }) => (q === '' ? rest : { ...rest, q }), replace: goesOn })
  }
  const setStatus = (chosen: string): void => {
    const status = statuses.find((each) => each === chosen)
    void navigate({ search: ({ page: _, status: __, ...rest }) => (status === undefined ? rest : { ...rest, status }) })
  }
  return (
    <div className="mb-3 flex flex-wrap gap-2">
      <SearchField value={search.q ?? ''} label={runs.search} placeholder={runs.search} onChange={setWords} className="w-72 max-w-full" />
      <select value={search.status ?? ''} onChange={(event) => setStatus(event.target.value)} aria-label={runs.status} className="field">
        <option value="">{runs.anyStatus}</option>
        {statuses.map((status) => (
          <option key={status} value={status}>
            {runs.statuses[status]}
          </option>
        ))}
      </select>
    </div>
  )
}

const RunTable = ({ rows }: { rows: readonly RunRow[] }) => {
  const { runs } = useText()
  return (
    <div className="card overflow-x-auto">
      <table className="w-full text-left sm:min-w-3xl">
        <thead className="text-xs text-muted">
          <tr>
            <Head>{runs.name}</Head>
            {[runs.status, runs.created, runs.duration, runs.datasets].map((name) => (
              <Head key={name} wide>
                {name}
              </Head>
            ))}
            <Head>{runs.best}</Head>
            <Head wide right>
              {runs.pipelines}
            </Head>
            <Head right>{runs.predictions}</Head>
          </tr>
        </thead>
        <tbody>
          {rows.map((run) => (
            <Run key={run.run_id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** `wide` = on narrow screens it stands under the name of the run, or not at all. */
const Head = ({ wide = false, right = false, children }: { wide?: boolean; right?: boolean; children: string }) => (
  <th scope="col" className={classNames('px-3 py-2 font-semibold max-sm:px-2', wide && 'max-sm:hidden', right && 'text-right')}>
    {children}
  </th>
)

const Run = ({ run }: { run: RunRow }) => {
  const text = useText()
  const format = useFormat()
  const started = run.created_at === null ? '–' : format.dateTime(run.created_at)
  const took = duration(run, format.duration)
  const datasets = run.datasets.map((name) => datasetLabel(name, text)).join(', ')
  return (
    <tr className="border-t border-line align-top hover:bg-hover">
      <th scope="row" className="max-w-72 px-3 py-2 font-medium max-sm:px-2 sm:min-w-48">
        <Link to={paths.predictions} search={{ run_id: [run.run_id] }} className="wrap-anywhere text-accent hover:underline">
          {run.name}
        </Link>
        <div className="grid justify-items-start gap-0.5 text-xs font-normal text-muted sm:hidden">
          <RunStatus status={run.status} error={run.error} />
          <span>{[started, took].filter((part) => part !== '–').join(' · ')}</span>
          <span className="wrap-anywhere">{datasets}</span>
        </div>
        {run.error === null ? null : <p className="text-xs font-normal wrap-anywhere text-danger">{run.error}</p>}
      </th>
      <td className="px-3 py-2 max-sm:hidden">
        <RunStatus status={run.status} error={run.error} />
      </td>
      <td className="px-3 py-2 whitespace-nowrap text-muted max-sm:hidden">{started}</td>
      <td className="px-3 py-2 whitespace-nowrap text-muted max-sm:hidden">{took}</td>
      <td className="max-w-56 px-3 py-2 max-sm:hidden">{datasets}</td>
      <td className="px-3 py-2 max-sm:px-2">
        {run.best.map((best) => (
          <BestScore key={best.dataset_name + best.metric} best={best} several={run.datasets.length > 1} />
        ))}
      </td>
      <td className="px-3 py-2 text-right max-sm:hidden">{format.int(run.n_pipelines)}</td>
      <td className="px-3 py-2 text-right max-sm:px-2">{format.int(run.n_predictions)}</td>
    </tr>
  )
}

const BestScore = ({ best, several }: { best: RunBest; several: boolean }) => {
  const text = useText()
  const format = useFormat()
  if (best.val_score === null) return null
  return (
    <div className="not-first:mt-1">
      <p className="sm:whitespace-nowrap">
        <span className="text-xs text-muted">
          {several ? `${datasetLabel(best.dataset_name, text)} · ` : ''}
          {metricName(text, best.metric)} <DirectionBadge direction={best.direction} />
        </span>{' '}
        <span className="font-medium">{format.score(best.val_score)}</span>
      </p>
      <p className="text-xs text-muted">{`${best.model_name}, ${foldWords(best, text)}`}</p>
    </div>
  )
}

const duration = (run: RunRow, show: (seconds: number) => string): string =>
  run.created_at === null || run.completed_at === null ? '–' : show((Date.parse(run.completed_at) - Date.parse(run.created_at)) / 1000)

/** Of a page that there is not, too: the last one is on its way then. */
const isAwaited = ({ isPending, data }: { isPending: boolean; data: RunPage | undefined }): boolean =>
  isPending || (data !== undefined && data.total > 0 && data.rows.length === 0)

const lastPage = (total: number): number => Math.max(1, Math.ceil(total / pageSize))

const atPage = ({ page: _, ...rest }: RunsSearch, page: number): RunsSearch => (page <= 1 ? rest : { ...rest, page })

const Pager = ({ page, total }: { page: number; total: number }) => {
  const { runs } = useText()
  const navigate = route.useNavigate()
  if (total <= pageSize) return null
  const go = (to: number): void => {
    void navigate({ search: (before) => atPage(before, to) })
  }
  const last = lastPage(total)
  return (
    <nav aria-label={runs.title} className="flex items-center justify-end gap-1 py-2">
      <span className="text-muted">{runs.page((page - 1) * pageSize + 1, Math.min(total, page * pageSize), total)}</span>
      <IconButton label={runs.previous} disabled={page <= 1} onClick={() => go(page - 1)}>
        <ChevronLeft size={17} aria-hidden />
      </IconButton>
      <IconButton label={runs.next} disabled={page >= last} onClick={() => go(page + 1)}>
        <ChevronRight size={17} aria-hidden />
      </IconButton>
    </nav>
  )
}
