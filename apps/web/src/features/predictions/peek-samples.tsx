import type { Scatter } from '@nirs-workspace/types'
import { fromWireNumber, type WireNumber } from '@nirs-workspace/types/number'
import { useEffect, useRef } from 'react'
import { useFormat, useText } from '../../text/text.tsx'
import { type PinnedSample, pinnedPlace, targetsOf, togglePin } from './pinned-sample.ts'
import { sampleName } from './sample-name.ts'

/** Rows drawn; longer lists belong into an export with one row per sample. */
const maxRows = 500

interface SamplesProps {
  readonly scatter: Scatter
  readonly pinned: PinnedSample | undefined
  readonly onPin: (pinned: PinnedSample | undefined) => void
}

/** The chart as a table: sample, measured, predicted, and the difference, which codes of classes do not have. */
export const PeekSamples = ({ scatter, pinned, onPin }: SamplesProps) => {
  const { peek, common } = useText()
  const format = useFormat()
  const marked = pinnedPlace(scatter, pinned)
  const targets = targetsOf(scatter)
  const places = scatter.y_true.slice(0, maxRows).map((_, place) => place)
  return (
    <table className="w-full text-right">
      <caption className="pb-2 text-left text-muted">
        {common.samples(scatter.y_true.length / targets)}
        {targets === 1 ? '' : `, ${peek.values(scatter.y_true.length, targets)}`}
        {scatter.y_true.length > maxRows ? ` (1–${format.int(maxRows)})` : ''}
      </caption>
      <thead className="sticky -top-4 bg-surface text-xs text-muted">
        <tr>
          {[peek.sample(''), peek.measured, peek.predicted, ...(scatter.classification === null ? [peek.residual] : [])].map((name) => (
            <th key={name} scope="col" className="py-1 font-medium first:text-left">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {(marked === undefined || marked < maxRows ? places : [marked, ...places]).map((place) => (
          <Sample
            key={place}
            scatter={scatter}
            place={place}
            pinned={place === marked}
            onPin={() => onPin(togglePin(scatter, place, pinned))}
          />
        ))}
      </tbody>
    </table>
  )
}

const Sample = ({ scatter, place, pinned, onPin }: { scatter: Scatter; place: number; pinned: boolean; onPin: () => void }) => {
  const text = useText()
  const { peek } = text
  const format = useFormat()
  const row = useRef<HTMLTableRowElement>(null)
  useEffect(() => {
    if (pinned) row.current?.scrollIntoView({ block: 'nearest' })
  }, [pinned])
  const show = (value: WireNumber | null | undefined): string => (value == null ? '–' : format.score(value))
  const measured = scatter.y_true[place] ?? null
  const predicted = scatter.y_pred[place] ?? null
  const name = sampleName(scatter, place, text)
  return (
    <tr ref={row} aria-current={pinned || undefined} className={`border-t border-line ${pinned ? 'bg-selected' : 'hover:bg-hover'}`}>
      <th scope="row" className="text-left font-normal">
        <button
          type="button"
          aria-pressed={pinned}
          aria-label={pinned ? peek.unpin(name) : peek.pin(name)}
          onClick={onPin}
          className="min-h-6 w-full px-1 text-left underline-offset-2 hover:underline"
        >
          {name}
        </button>
      </th>
      <td>{show(measured)}</td>
      <td>{show(predicted)}</td>
      {scatter.classification === null ? (
        <td className="pr-1">
          {measured === null || predicted === null ? '–' : show(fromWireNumber(predicted) - fromWireNumber(measured))}
        </td>
      ) : null}
    </tr>
  )
}
