import type { FacetColumn } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { isApiError } from '../../api/client.ts'
import { facetsQuery } from '../../api/queries.ts'
import { useErrorText } from '../../text/error-text.ts'
import { useText } from '../../text/text.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { Loading, Skeleton } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { panelFacets } from './columns.ts'
import { FacetGroup } from './facet-group.tsx'
import { RangeFilter } from './range-filter.tsx'
import { filterParams, type PredictionSearch, withFacet } from './search.ts'

interface PanelProps {
  readonly workspace: string
  readonly search: PredictionSearch
  readonly change: Change
  readonly onClose: () => void
}

/** Counts per value under the current filters, and ranges of scores and dates. */
export const FacetPanel = ({ workspace, search, change, onClose }: PanelProps) => {
  const text = useText()
  const errorText = useErrorText()
  const facets = useQuery(facetsQuery(workspace, filterParams(search)))
  const metrics = search.metric ?? facets.data?.facets.metric?.values.map(({ value }) => value ?? '') ?? []
  const toggle = (column: FacetColumn, value: string): void =>
    change((before) => {
      const values = before[column] ?? []
      return withFacet(before, column, values.includes(value) ? values.filter((other) => other !== value) : [...values, value])
    })
  return (
    <aside
      aria-label={text.predictions.filters}
      className="flex w-64 shrink-0 flex-col overflow-y-auto border-r border-line bg-surface max-md:absolute max-md:inset-y-0 max-md:left-0 max-md:z-30 max-md:w-full"
    >
      <div className="flex items-center justify-end border-b border-line px-2 py-1 md:hidden">
        <IconButton label={text.predictions.hideFilters} onClick={onClose}>
          <X size={17} aria-hidden />
        </IconButton>
      </div>
      {/* The table beside it says that the workspace is gone, and the notice above what to do. */}
      {facets.isError && !isApiError(facets.error, 'workspace_not_found') ? (
        <div role="alert" className="grid grid-cols-1 gap-2 p-3 text-[0.93rem]">
          <p className="text-danger">{errorText(facets.error)}</p>
          <Button onClick={() => void facets.refetch()}>{text.common.retry}</Button>
        </div>
      ) : null}
      {facets.data === undefined && !facets.isError ? <FacetSkeleton /> : null}
      {facets.data === undefined ? null : (
        <div className={facets.isPlaceholderData ? 'opacity-60' : undefined}>
          {panelFacets.slice(0, 3).map((column) => (
            <FacetGroup
              key={column}
              column={column}
              facet={facets.data.facets[column]}
              chosen={search[column] ?? []}
              onToggle={toggle}
              open
            />
          ))}
          <RangeFilter workspace={workspace} column="val_score" search={search} change={change} metrics={metrics} open />
          {panelFacets.slice(3).map((column, place) => (
            <FacetGroup
              key={column}
              column={column}
              facet={facets.data.facets[column]}
              chosen={search[column] ?? []}
              onToggle={toggle}
              open={place < 3}
            />
          ))}
          <RangeFilter workspace={workspace} column="test_score" search={search} change={change} metrics={metrics} open={false} />
          <RangeFilter workspace={workspace} column="created_at" search={search} change={change} metrics={metrics} open={false} />
        </div>
      )}
    </aside>
  )
}

const FacetSkeleton = () => (
  <Loading>
    <div className="grid grid-cols-1 gap-3 p-3">
      {['a', 'b', 'c', 'd'].map((key) => (
        <Skeleton key={key} className="h-24" />
      ))}
    </div>
  </Loading>
)
