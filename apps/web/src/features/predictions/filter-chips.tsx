import type { RangeColumn } from '@nirs-workspace/types'
import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { shortBound } from '../../lib/short-bound.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { valueLabel } from '../../text/value-label.ts'
import type { Change } from './change.ts'
import { equalityColumns, rangedColumns } from './columns.ts'
import { hasFilters, type PredictionSearch, withFacet, withoutFilters, withoutRange } from './search.ts'
import { isDay, timeOf } from './time-bound.ts'

interface ChipsProps {
  readonly search: PredictionSearch
  readonly change: Change
}

/** Every filter in force, each with a way to drop it. */
export const FilterChips = ({ search, change }: ChipsProps) => {
  const text = useText()
  if (!hasFilters(search)) return null
  return (
    <div className="flex flex-wrap items-center gap-1.5 border-b border-line bg-surface px-3 py-1.5">
      {search.q === undefined ? null : (
        <Chip name={`${text.common.search}: ${search.q}`} onRemove={() => change(({ q: _, at: __, ...rest }) => rest)} />
      )}
      {equalityColumns.flatMap((column) =>
        (search[column] ?? []).map((value, _, all) => (
          <Chip
            key={column + value}
            name={`${text.columns[column]}: ${valueLabel(column, value, text, all)}`}
            onRemove={() =>
              change((before) =>
                withFacet(
                  before,
                  column,
                  (before[column] ?? []).filter((other) => other !== value),
                ),
              )
            }
          />
        )),
      )}
      {rangedColumns.map((column) => (
        <RangeChip key={column} column={column} search={search} change={change} />
      ))}
      <button
        type="button"
        onClick={() => change(withoutFilters)}
        className="ml-1 min-h-7 rounded px-1.5 text-xs font-medium text-accent hover:underline"
      >
        {text.predictions.clearAll}
      </button>
    </div>
  )
}

const RangeChip = ({ column, search, change }: ChipsProps & { column: RangeColumn }) => {
  const text = useText()
  const format = useFormat()
  const min = search[`${column}_min`]
  const max = search[`${column}_max`]
  if (min === undefined && max === undefined) return null
  const name = (show: (bound: string) => string): string =>
    `${text.columns[column]}: ${min === undefined ? '−∞' : show(min)} … ${max === undefined ? '∞' : show(max)}`
  const time = (bound: string): string => (isDay(bound) ? format.day(bound) : format.dateTime(timeOf(bound)))
  const short = column === 'created_at' ? time : shortBound
  return <Chip name={name(short)} title={name((bound) => bound)} onRemove={() => change((before) => withoutRange(before, column))} />
}

interface ChipProps {
  readonly name: string
  /** The filter to the last digit, where its name is shorter. */
  readonly title?: string
  readonly onRemove: () => void
}

const Chip = ({ name, title = name, onRemove }: ChipProps): ReactNode => {
  const { predictions } = useText()
  return (
    <span className="inline-flex max-w-96 items-center rounded-full bg-accent-soft pl-2.5 text-xs text-accent">
      <span className="truncate" title={title}>
        {name}
      </span>
      <button
        type="button"
        onClick={onRemove}
        aria-label={predictions.removeFilter(name)}
        className="inline-flex size-7 shrink-0 items-center justify-center rounded-full hover:bg-hover"
      >
        <X size={13} aria-hidden />
      </button>
    </span>
  )
}
