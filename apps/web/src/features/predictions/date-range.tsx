import { type FormEvent, useId, useState } from 'react'
import { useFormat, useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import type { BoundsProps } from './number-range.tsx'
import { dayOf, isDay, timeOf } from './time-bound.ts'

const ends = ['min', 'max'] as const
type End = (typeof ends)[number]

/** Two fields for the days between which a column is shown, both included. */
export const DateRange = ({ min, max, onApply, label }: BoundsProps) => {
  const { predictions } = useText()
  const format = useFormat()
  const [typed, setTyped] = useState<Partial<Record<End, string>>>({})
  const [refused, setRefused] = useState(false)
  const [shown, setShown] = useState({ min, max })
  if (shown.min !== min || shown.max !== max) {
    setShown({ min, max })
    setTyped({})
    setRefused(false)
  }
  const reason = useId()
  // A bound that is a time of its day stays as it is, unless its day is changed.
  const chosen = (end: End): string => {
    const day = typed[end]
    return day === undefined || day === dayOf(shown[end]) ? shown[end] : day
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const [from, to] = [chosen('min'), chosen('max')]
    if (from !== '' && to !== '' && dayOf(from) > dayOf(to)) setRefused(true)
    else onApply(from, to)
  }
  const field = (end: End) => (
    <label key={end} className="contents">
      <span className="text-xs text-muted">{predictions.dayEnds[end]}</span>
      <input
        type="date"
        value={typed[end] ?? dayOf(shown[end])}
        title={typed[end] === undefined && shown[end] !== '' && !isDay(shown[end]) ? format.dateTime(timeOf(shown[end])) : undefined}
        onChange={(event) => {
          setTyped({ ...typed, [end]: event.target.value })
          setRefused(false)
        }}
        aria-label={`${label}: ${predictions.dayEnds[end]}`}
        aria-invalid={refused}
        aria-describedby={refused ? reason : undefined}
        className="field h-8! w-full min-w-0 text-xs"
      />
    </label>
  )
  return (
    <form onSubmit={submit}>
      <div className="grid grid-cols-[auto_1fr] items-center gap-x-2 gap-y-1">
        {ends.map(field)}
        <Button type="submit" className="col-start-2 h-8! justify-self-start px-3!">
          {predictions.apply}
        </Button>
      </div>
      {refused ? (
        <p id={reason} role="alert" className="mt-1 text-xs text-danger">
          {predictions.dayOrder}
        </p>
      ) : null}
    </form>
  )
}
