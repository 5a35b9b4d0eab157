import type { DatasetOverview } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Sprout } from 'lucide-react'
import { Suspense } from 'react'
import { overviewQuery, statsQuery } from '../../api/queries.ts'
import { useLostArrays } from '../../api/use-lost-arrays.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { lazyPart } from '../../lib/lazy-part.tsx'
import { paths } from '../../paths.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Copyable } from '../../ui/copyable.tsx'
import { ModeBadge } from '../../ui/mode-badge.tsx'
import { Card, Page } from '../../ui/page.tsx'
import { ErrorMessage, Loading, Message, Skeleton } from '../../ui/states.tsx'
import { predictionsOf, UnreadableFiles } from '../storage/unreadable-files.tsx'
import { RecentRuns } from './recent-runs.tsx'

const DatasetCard = lazyPart(async () => (await import('./dataset-card.tsx')).DatasetCard)
const SpaceBar = lazyPart(async () => (await import('../../charts/space-bar.tsx')).SpaceBar)

export const OverviewPage = () => {
  const { overview } = useText()
  const workspace = useWorkspace()
  const query = useQuery(overviewQuery(workspace.id))
  const empty = query.data !== undefined && query.data.datasets.length === 0 && query.data.recent_runs.length === 0
  return (
    <Page title={workspace.name} aside={<ModeBadge mode={workspace.storage_mode} />}>
      <p className="-mt-3 mb-4 font-mono text-xs break-all text-muted">{workspace.path}</p>
      {query.isError ? <ErrorMessage error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.isPending ? <OverviewSkeleton /> : null}
      {empty ? <EmptyWorkspace path={workspace.path} /> : null}
      {query.data === undefined || empty ? null : (
        <div className="grid grid-cols-1 gap-5">
          <UnreadableFiles files={query.data.unreadable_files} />
          <Counts />
          <section>
            <h2 className="mb-2 text-base font-semibold">{overview.datasets}</h2>
            <Suspense fallback={<OverviewSkeleton />}>
              <ul className="grid grid-cols-1 gap-3 md:grid-cols-2 xl:grid-cols-3">
                {query.data.datasets.map((dataset) => (
                  <DatasetCard
                    key={dataset.dataset_name}
                    dataset={dataset}
                    unreadable={query.data.unreadable_files.some((file) => file.datasets.includes(dataset.dataset_name))}
                  />
                ))}
              </ul>
            </Suspense>
          </section>
          <RecentRuns runs={query.data.recent_runs} />
          <StorageSummary workspace={workspace.id} />
        </div>
      )}
    </Page>
  )
}

const Counts = () => {
  const { overview } = useText()
  const format = useFormat()
  const workspace = useWorkspace()
  const { data } = useQuery(overviewQuery(workspace.id))
  const lost = useLostArrays(workspace)
  const datasets = data?.datasets ?? []
  const arrays = sum(datasets, 'arrays')
  const unreadable = predictionsOf(data?.unreadable_files ?? [])
  const note = lost === undefined ? (unreadable === 0 ? undefined : overview.unreadable(unreadable)) : overview.onlyInBackup(lost, arrays)
  // Not counted yet is not none.
  const runs = workspace.counts?.runs
  const counts = [
    [overview.counts.predictions, sum(datasets, 'predictions'), undefined],
    [overview.counts.datasets, datasets.length, undefined],
    [overview.counts.runs, runs, undefined],
    [overview.counts.arrays, arrays, note],
  ] as const
  return (
    <dl className="card grid grid-cols-2 divide-line sm:grid-cols-4 sm:divide-x">
      {counts.map(([name, count, remark]) => (
        <div key={name} className="px-4 py-3">
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="text-2xl leading-8 font-semibold">{count === undefined ? '…' : format.int(count)}</dd>
          {remark === undefined ? null : <dd className="text-xs text-danger">{remark}</dd>}
        </div>
      ))}
    </dl>
  )
}

const sum = (datasets: readonly DatasetOverview[], what: 'predictions' | 'arrays'): number =>
  datasets.reduce((total, dataset) => total + dataset[what], 0)

const StorageSummary = ({ workspace }: { workspace: string }) => {
  const { overview, storage } = useText()
  const errorText = useErrorText()
  const format = useFormat()
  const { data, error } = useQuery(statsQuery(workspace))
  return (
    <Card
      title={overview.storage}
      aside={
        <Link to={paths.storage} className="font-medium text-accent hover:underline">
          {overview.storageLink}
        </Link>
      }
    >
      {error === null ? null : <p className="text-danger">{errorText(error)}</p>}
      {data === undefined ? (
        <Skeleton className="h-12" />
      ) : (
        <Suspense fallback={<Skeleton className="h-12" />}>
          <SpaceBar stats={data}>
            <p className="mt-2 text-muted">{storage.total(data.total_bytes)}</p>
          </SpaceBar>
        </Suspense>
      )}
      <span className="sr-only">{data === undefined ? '' : format.bytes(data.total_bytes)}</span>
    </Card>
  )
}

const EmptyWorkspace = ({ path }: { path: string }) => {
  const { overview } = useText()
  const code = [
    'import nirs4all',
    'from sklearn.cross_decomposition import PLSRegression',
    'from sklearn.model_selection import ShuffleSplit',
    'from sklearn.preprocessing import MinMaxScaler',
    '',
    'nirs4all.run(',
    '    pipeline=[MinMaxScaler(), ShuffleSplit(n_splits=3), {"model": PLSRegression(10)}],',
    '    dataset="path/to/your/dataset",',
    `    workspace_path=${JSON.stringify(path)},`,
    ')',
  ].join('\n')
  return (
    <Message icon={Sprout} title={overview.emptyTitle}>
      <p className="mb-4">{overview.emptyBody}</p>
      <Copyable value={code} label={overview.emptyCommand} />
    </Message>
  )
}

const OverviewSkeleton = () => (
  <Loading>
    <div className="grid grid-cols-1 gap-4">
      <Skeleton className="h-20" />
      <div className="grid grid-cols-1 gap-3 md:grid-cols-3">
        <Skeleton className="h-56" />
        <Skeleton className="h-56" />
        <Skeleton className="h-56" />
      </div>
    </div>
  </Loading>
)
