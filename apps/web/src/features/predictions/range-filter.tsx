import type { RangeColumn } from '@nirs-workspace/types'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { histogramQuery } from '../../api/queries.ts'
import { MiniHistogram } from '../../charts/mini-histogram.tsx'
import { useFormat, useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Skeleton } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { FacetSection } from './facet-group.tsx'
import { filterParams, type PredictionSearch, withRange } from './search.ts'

interface RangeProps {
  readonly workspace: string
  readonly column: RangeColumn
  readonly search: PredictionSearch
  readonly change: Change
  readonly open: boolean
}

/** From and to, with the distribution above; dragging over the bars sets both. */
export const RangeFilter = ({ workspace, column, search, change, open }: RangeProps) => {
  const text = useText()
  const set = (min: string, max: string): void => change((before) => withRange(before, column, min, max))
  const min = search[`${column}_min`] ?? ''
  const max = search[`${column}_max`] ?? ''
  return (
    <FacetSection title={text.columns[column]} hint={text.columnHints[column]} open={open || min !== '' || max !== ''}>
      <Distribution workspace={workspace} column={column} search={search} onRange={set} />
      <BoundFields key={`${min}…${max}`} min={min} max={max} onApply={set} label={text.columns[column]} />
    </FacetSection>
  )
}

const Distribution = ({
  workspace,
  column,
  search,
  onRange,
}: Omit<RangeProps, 'change' | 'open'> & { onRange: (min: string, max: string) => void }) => {
  const text = useText()
  const format = useFormat()
  // The column's own range is left out, so that the bars outside of it stay to be chosen.
  const { data } = useQuery(histogramQuery(workspace, column, filterParams(withRange(search, column, '', ''))))
  if (data === undefined) return <Skeleton className="h-16" />
  const chosen = { min: Number(search[`${column}_min`] ?? Number.NaN), max: Number(search[`${column}_max`] ?? Number.NaN) }
  return (
    <figure>
      <MiniHistogram
        bins={data.bins}
        chosen={chosen}
        label={text.predictions.histogram(text.columns[column])}
        barLabel={(bin) => text.predictions.histogramBar(format.score(bin.min), format.score(bin.max), bin.count)}
        onRange={(from, to) => onRange(String(from), String(to))}
      />
      <figcaption className="flex justify-between pb-1.5 text-[0.7rem] text-muted">
        <span>{format.score(data.bins[0]?.min ?? 0)}</span>
        {data.nulls + data.non_finite === 0 ? null : (
          <span title={text.predictions.outside(data.nulls, data.non_finite)}>+{format.int(data.nulls + data.non_finite)}</span>
        )}
        <span>{format.score(data.bins.at(-1)?.max ?? 0)}</span>
      </figcaption>
    </figure>
  )
}

const BoundFields = ({
  min,
  max,
  onApply,
  label,
}: {
  min: string
  max: string
  onApply: (min: string, max: string) => void
  label: string
}) => {
  const { predictions } = useText()
  const [from, setFrom] = useState(min)
  const [to, setTo] = useState(max)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onApply(toPoint(from), toPoint(to))
  }
  return (
    <form onSubmit={submit} className="flex items-center gap-1">
      <input
        inputMode="decimal"
        value={from}
        onChange={(event) => setFrom(event.target.value)}
        aria-label={`${label}: ${predictions.min}`}
        placeholder="min"
        className="field h-8! w-full min-w-0 text-xs"
      />
      <span aria-hidden>–</span>
      <input
        inputMode="decimal"
        value={to}
        onChange={(event) => setTo(event.target.value)}
        aria-label={`${label}: ${predictions.max}`}
        placeholder="max"
        className="field h-8! w-full min-w-0 text-xs"
      />
      <Button type="submit" className="h-8! px-2!">
        {predictions.apply}
      </Button>
    </form>
  )
}

/** A decimal comma is as good as a point. */
const toPoint = (text: string): string => text.trim().replace(',', '.')
