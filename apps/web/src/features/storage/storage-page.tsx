import type { DatasetInfo, StorageStatus, WorkspaceStats } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { statsQuery, storageStatusQuery } from '../../api/queries.ts'
import { useWorkspace } from '../../api/workspace.tsx'
import { SpaceBar } from '../../charts/space-bar.tsx'
import type { Formatters } from '../../lib/format.ts'
import type { Text } from '../../text/en.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { datasetLabel } from '../../text/value-label.ts'
import { ModeBadge } from '../../ui/mode-badge.tsx'
import { Card } from '../../ui/page.tsx'
import { ErrorMessage, Loading, Skeleton } from '../../ui/states.tsx'
import { Freeable } from './freeable.tsx'
import { IntegrityCheck } from './integrity-check.tsx'
import { UnreadableFiles } from './unreadable-files.tsx'

/** Storage health: what the workspace is, where its bytes are, whether it is sound. */
export const StoragePage = () => {
  const { storage, modeHints } = useText()
  const workspace = useWorkspace()
  const stats = useQuery(statsQuery(workspace.id))
  const status = useQuery(storageStatusQuery(workspace.id))
  const mode = status.data?.storage_mode ?? workspace.storage_mode
  return (
    <div className="grid grid-cols-1 gap-5">
      <Card title={storage.title} aside={<ModeBadge mode={mode} />}>
        <p className="mb-4 text-muted">
          {mode === null ? null : modeHints[mode]}
          {status.data?.written_by == null ? null : ` · ${originOf(status.data.migrated, storage)(status.data.written_by)}`}
        </p>
        {stats.isError ? <ErrorMessage error={stats.error} onRetry={() => void stats.refetch()} /> : null}
        {stats.isPending ? (
          <Loading>
            <Skeleton className="h-16" />
          </Loading>
        ) : null}
        {stats.data === undefined ? null : (
          <SpaceBar stats={stats.data}>
            <p className="mt-3 font-medium">{storage.total(stats.data.total_bytes)}</p>
            <Freeable stats={stats.data} />
          </SpaceBar>
        )}
      </Card>
      <UnreadableFiles files={stats.data?.unreadable_files ?? []} />
      <div id="check">
        <IntegrityCheck />
      </div>
      {stats.data === undefined ? null : <Datasets stats={stats.data} />}
    </div>
  )
}

/** Of arrays that are still in a store, what they would come to. */
const sizeOf = ({ bytes, bytes_are_estimate, parquet_bytes }: DatasetInfo, format: Formatters): string => {
  const size = bytes ?? parquet_bytes
  return size === 0 ? '–' : `${bytes_are_estimate === true ? '≈ ' : ''}${format.bytes(size)}`
}

const Datasets = ({ stats }: { stats: WorkspaceStats }) => {
  const text = useText()
  const { storage, common } = text
  const format = useFormat()
  return (
    <details className="card group" open={stats.datasets.length <= 12}>
      <summary className="flex min-h-11 items-center gap-3 px-4 font-semibold">
        <span className="flex-1">{storage.datasets}</span>
        <span className="font-normal text-muted">{common.datasets(stats.datasets.length)}</span>
      </summary>
      <div className="overflow-x-auto px-4 pb-3">
        <table className="w-full text-right">
          <thead className="text-xs text-muted">
            <tr>
              {[storage.dataset, storage.predictions, storage.arrays, storage.bytes].map((name) => (
                <th key={name} scope="col" className="py-1.5 font-medium first:text-left">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {stats.datasets.map((dataset) => (
              <tr key={dataset.name} className="border-t border-line">
                <th scope="row" className="py-1.5 pr-4 text-left font-medium break-words">
                  {datasetLabel(dataset.name, text)}
                </th>
                <td>{format.int(dataset.predictions)}</td>
                <td>{format.int(dataset.arrays)}</td>
                <td>{sizeOf(dataset, format)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

/** A store that was migrated has the schema of a later release than the one that wrote it. */
const originOf = (migrated: StorageStatus['migrated'], storage: Text['storage']) =>
  migrated === undefined ? storage.writtenBy : migrated.from === null ? storage.migratedTo : storage.migratedFrom
