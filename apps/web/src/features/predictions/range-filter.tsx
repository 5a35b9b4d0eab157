import type { RangeColumn } from '@nirs-workspace/types'
import { spellingsByMetric } from '@nirs-workspace/types/metric'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { histogramQuery } from '../../api/queries.ts'
import { MiniHistogram } from '../../charts/mini-histogram.tsx'
import type { Formatters } from '../../lib/format.ts'
import { useErrorText } from '../../text/error-text.ts'
import { metricAmong } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Skeleton } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { isScoreColumn } from './columns.ts'
import { DateRange } from './date-range.tsx'
import { FacetSection } from './facet-group.tsx'
import { NumberRange } from './number-range.tsx'
import { distributionParams, type PredictionSearch, withCountedRange, withFacet } from './search.ts'
import { clockOf, timeAt } from './time-bound.ts'

interface RangeProps {
  readonly workspace: string
  readonly column: RangeColumn
  readonly search: PredictionSearch
  readonly change: Change
  /** Metrics under the current filters, the most frequent first. */
  readonly metrics: readonly string[]
  readonly open: boolean
}

/** From and to, with the distribution above; dragging over the bars sets both. */
export const RangeFilter = ({ workspace, column, search, change, metrics, open }: RangeProps) => {
  const text = useText()
  const [asked, setAsked] = useState<string>()
  // Scores of different metrics share no scale: one is drawn, and a range of scores is a range of that one.
  const choices = isScoreColumn(column) ? spellingsByMetric(metrics).map((spellings) => ({ name: spellings[0] ?? '', spellings })) : []
  const mixed = choices.length > 1
  const chosen = mixed ? (choices.find(({ name }) => name === asked) ?? choices[0]) : undefined
  const names = choices.map(({ name }) => name)
  const set = (min: string, max: string): void =>
    change((before) => {
      const narrowed = chosen === undefined || (min === '' && max === '') ? before : withFacet(before, 'metric', chosen.spellings)
      return withCountedRange(narrowed, column, min, max)
    })
  const Fields = column === 'created_at' ? DateRange : NumberRange
  const min = search[`${column}_min`] ?? ''
  const max = search[`${column}_max`] ?? ''
  return (
    <FacetSection title={text.columns[column]} hint={text.columnHints[column]} open={open || min !== '' || max !== ''}>
      {chosen === undefined ? null : (
        <select
          value={chosen.name}
          onChange={(event) => setAsked(event.target.value)}
          aria-label={text.predictions.oneMetric(text.columns[column])}
          className="field mb-1.5 h-8! w-full text-xs"
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {metricAmong(text, name, names)}
            </option>
          ))}
        </select>
      )}
      <Distribution workspace={workspace} column={column} search={search} metric={chosen?.spellings ?? []} onRange={set} />
      <Fields min={min} max={max} onApply={set} label={text.columns[column]} />
    </FacetSection>
  )
}

interface DistributionProps extends Pick<RangeProps, 'workspace' | 'column' | 'search'> {
  /** The spellings of the one metric whose scores are drawn; none where there is nothing to choose. */
  readonly metric: readonly string[]
  readonly onRange: (min: string, max: string) => void
}

const Distribution = ({ workspace, column, search, metric, onRange }: DistributionProps) => {
  const text = useText()
  const errorText = useErrorText()
  const format = useFormat()
  const params = distributionParams(search, column, metric)
  const { data, error } = useQuery({ ...histogramQuery(workspace, column, params ?? {}), enabled: params !== undefined })
  if (params === undefined) return <Remark>{text.predictions.onlyRefits}</Remark>
  if (error !== null && data === undefined) return <Remark>{errorText(error)}</Remark>
  if (data === undefined) return <Skeleton className="mb-1.5 h-16" />
  const [first, last] = [data.bins[0], data.bins.at(-1)]
  const { nulls, non_finite, placeholders, times } = data
  if (first === undefined || last === undefined) {
    if (column === 'created_at') return <Remark>{text.predictions.noDate}</Remark>
    return (
      <Remark>{placeholders === 0 ? text.predictions.noFinite(nulls + non_finite) : text.predictions.onlyUntested(placeholders)}</Remark>
    )
  }
  const undrawn = nulls + non_finite + placeholders
  const scale = times === null ? scoreScale(format) : timeScale(format, times.first.endsWith('Z'))
  return (
    <figure>
      <MiniHistogram
        bins={data.bins}
        chosen={{ min: scale.place(search[`${column}_min`], 'min'), max: scale.place(search[`${column}_max`], 'max') }}
        label={text.predictions.histogram(text.columns[column])}
        barLabel={(bin) => text.predictions.histogramBar(scale.shown(bin.min), scale.shown(bin.max), bin.count)}
        onRange={(from, to) => onRange(scale.bound(from), scale.bound(to))}
      />
      <figcaption className="flex justify-between gap-1 pb-1.5 text-[0.7rem] text-muted">
        <span>{times === null ? scale.shown(first.min) : format.dateTime(times.first)}</span>
        {undrawn === 0 ? null : <span title={text.predictions.outside(nulls, non_finite, placeholders)}>+{format.int(undrawn)}</span>}
        <span>{times === null ? scale.shown(last.max) : format.dateTime(times.last)}</span>
      </figcaption>
    </figure>
  )
}

/** How the values of a distribution are shown, written into an address and found again. */
interface Scale {
  readonly shown: (value: number) => string
  readonly bound: (value: number) => string
  readonly place: (bound: string | undefined, end: 'min' | 'max') => number
}

const scoreScale = (format: Formatters): Scale => ({
  shown: format.score,
  bound: String,
  place: (bound) => Number(bound ?? Number.NaN),
})

const timeScale = (format: Formatters, utc: boolean): Scale => ({
  shown: (clock) => format.dateTime(timeAt(clock, utc)),
  bound: (clock) => timeAt(clock, utc),
  place: (bound, end) => clockOf(bound, end, utc),
})

const Remark = ({ children }: { children: string }) => <p className="pb-1.5 text-xs text-muted">{children}</p>
