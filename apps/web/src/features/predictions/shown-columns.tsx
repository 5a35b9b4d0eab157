import type { PredictionColumn } from '@nirs-workspace/types'
import { ChevronDown, ChevronUp, Pin, PinOff } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { useText } from '../../text/text.tsx'
import { IconButton } from '../../ui/button.tsx'
import type { Change } from './change.ts'
import { withColumnMoved, withPinToggled } from './column-choice.ts'

interface ShownProps {
  /** Those that the search field leaves. */
  readonly columns: readonly PredictionColumn[]
  readonly all: readonly PredictionColumn[]
  readonly pinned: readonly PredictionColumn[]
  readonly change: Change
  readonly onToggle: (id: PredictionColumn) => void
}

/** The shown columns in their order, each with ways to move, pin and hide it. */
export const ShownColumns = ({ columns, all, pinned, change, onToggle }: ShownProps) => {
  const text = useText()
  const list = useRef<HTMLUListElement>(null)
  const moved = useRef('')
  useEffect(() => {
    // A row that changes its place loses the focus; whoever moves it by keyboard goes on from where they are.
    list.current?.querySelector<HTMLElement>(`[data-control="${moved.current}"]`)?.focus()
    moved.current = ''
  }, [all.join()])
  const move = (id: PredictionColumn, step: -1 | 1): void => {
    moved.current = `${id} ${step}`
    change((before) => withColumnMoved(before, id, step))
  }
  const pin = (id: PredictionColumn): void => {
    moved.current = `${id} pin`
    change((before) => withPinToggled(before, id))
  }
  const canMove = (id: PredictionColumn, step: -1 | 1): boolean => {
    const other = all[all.indexOf(id) + step]
    return other !== undefined && pinned.includes(other) === pinned.includes(id)
  }
  return (
    <ul ref={list}>
      {columns.map((id) => {
        const name = text.columns[id]
        const isPinned = pinned.includes(id)
        return (
          <li key={id} className="flex items-center rounded hover:bg-hover" title={text.columnHints[id]}>
            <label className="flex min-h-8 min-w-0 flex-1 cursor-pointer items-center gap-2.5 pl-2">
              <input
                type="checkbox"
                checked
                disabled={all.length === 1}
                onChange={() => onToggle(id)}
                className="size-4 shrink-0 accent-(--accent)"
              />
              <span className="truncate">{name}</span>
            </label>
            <IconButton
              label={isPinned ? text.predictions.unpinColumn(name) : text.predictions.pinColumn(name)}
              aria-pressed={isPinned}
              data-control={`${id} pin`}
              onClick={() => pin(id)}
              className={`size-8! ${isPinned ? 'text-accent!' : ''}`}
            >
              {isPinned ? <PinOff size={15} aria-hidden /> : <Pin size={15} aria-hidden />}
            </IconButton>
            {([-1, 1] as const).map((step) => (
              <IconButton
                key={step}
                label={step < 0 ? text.predictions.columnUp(name) : text.predictions.columnDown(name)}
                aria-disabled={!canMove(id, step)}
                data-control={`${id} ${step}`}
                onClick={() => canMove(id, step) && move(id, step)}
                className="size-8! aria-disabled:opacity-40"
              >
                {step < 0 ? <ChevronUp size={15} aria-hidden /> : <ChevronDown size={15} aria-hidden />}
              </IconButton>
            ))}
          </li>
        )
      })}
    </ul>
  )
}
