import { type FormEvent, useId, useState } from 'react'
import { shortBound } from '../../lib/short-bound.ts'
import { useFormat, useText } from '../../text/text.tsx'
import { Button } from '../../ui/button.tsx'
import { readBound } from './read-bound.ts'

const ends = ['min', 'max'] as const
type End = (typeof ends)[number]

export interface BoundsProps {
  readonly min: string
  readonly max: string
  readonly onApply: (min: string, max: string) => void
  /** Of the column. */
  readonly label: string
}

/** Two fields for the numbers between which a column is shown. */
export const NumberRange = ({ min, max, onApply, label }: BoundsProps) => {
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
