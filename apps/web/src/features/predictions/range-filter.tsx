import type { RangeColumn } from '@nirs-workspace/types'
import { spellingsByMetric } from '@nirs-workspace/types/metric'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import { histogramQuery } from '../../api/queries.ts'
import { MiniHistogram } from '../../charts/mini-histogram.tsx'
import { shortBound } from '../../lib/short-bound.ts'
import { useErrorText } from '../../text/error-text.ts'
import { metricAmong } from '../../text/metric-name.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { Skeleton } from '../../ui/states.tsx'
import type { Change } from './change.ts'
import { isScoreColumn } from './columns.ts'
import { FacetSection } from './facet-group.tsx'
import { readBound } from './read-bound.ts'
import { distributionParams, type PredictionSearch, withCountedRange, withFacet } from './search.ts'

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
      <BoundFields min={min} max={max} onApply={set} label={text.columns[column]} />
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
  const { nulls, non_finite, placeholders } = data
  if (first === undefined || last === undefined) {
    return (
      <Remark>{placeholders === 0 ? text.predictions.noFinite(nulls + non_finite) : text.predictions.onlyUntested(placeholders)}</Remark>
    )
  }
  const undrawn = nulls + non_finite + placeholders
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
        <span>{format.score(first.min)}</span>
        {undrawn === 0 ? null : <span title={text.predictions.outside(nulls, non_finite, placeholders)}>+{format.int(undrawn)}</span>}
        <span>{format.score(last.max)}</span>
      </figcaption>
    </figure>
  )
}

const Remark = ({ children }: { children: string }) => <p className="pb-1.5 text-xs text-muted">{children}</p>

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
  const { locale } = useFormat()
  const [typed, setTyped] = useState<Partial<Record<End, string>>>({})
  const [refused, setRefused] = useState<{ reason: string; ends: readonly End[] }>()
  const [shown, setShown] = useState({ min, max })
  if (shown.min !== min || shown.max !== max) {
    setShown({ min, max })
    setTyped({})
    setRefused(undefined)
  }
  // What is shown shorter than it is stays as it is, unless it is edited.
  const readEnd = (end: End): string | undefined => {
    const text = typed[end]
    return text === undefined ? shown[end] : readBound(text, locale)
  }
  const reason = useId()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const read = { min: readEnd('min'), max: readEnd('max') }
    if (read.min === undefined || read.max === undefined)
      setRefused({ reason: predictions.noNumber, ends: ends.filter((end) => read[end] === undefined) })
    else if (read.min !== '' && read.max !== '' && Number(read.min) > Number(read.max))
      setRefused({ reason: predictions.minAboveMax, ends })
    else onApply(read.min, read.max)
  }
  const field = (end: End) => {
    const short = shortBound(shown[end])
    const isRefused = refused?.ends.includes(end) === true
    return (
      <input
        inputMode="decimal"
        value={typed[end] ?? short}
        title={typed[end] === undefined && short !== shown[end] ? shown[end] : undefined}
        onChange={(event) => {
          setTyped({ ...typed, [end]: event.target.value })
          setRefused(undefined)
        }}
        aria-label={`${label}: ${predictions[end]}`}
        aria-invalid={isRefused}
        aria-describedby={isRefused ? reason : undefined}
        placeholder={end}
        className="field h-8! w-full min-w-0 text-xs"
      />
    )
  }
  return (
    <form onSubmit={submit}>
      <div className="flex items-center gap-1">
        {field('min')}
        <span aria-hidden>–</span>
        {field('max')}
        <Button type="submit" className="h-8! px-2!">
          {predictions.apply}
        </Button>
      </div>
      {refused === undefined ? null : (
        <p id={reason} role="alert" className="mt-1 text-xs text-danger">
          {refused.reason}
        </p>
      )}
    </form>
  )
}

const ends = ['min', 'max'] as const
type End = (typeof ends)[number]
