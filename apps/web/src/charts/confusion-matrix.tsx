import { useId } from 'react'
import { useFormat, useText } from '../text/text.tsx'

interface MatrixProps {
  readonly labels: readonly number[]
  /** counts[i][j]: samples of class labels[i] predicted as labels[j]. */
  readonly counts: readonly (readonly number[])[]
}

/**
 * Counts in a table whose shade is the share of the row; the diagonal is what was right. The names of the axes and the classes stay in
 * sight however far a large matrix is scrolled.
 */
export const ConfusionMatrix = ({ labels, counts }: MatrixProps) => {
  const { peek } = useText()
  const axes = useId()
  return (
    <div>
      <p id={axes} className="pb-1 text-center text-xs text-muted">
        {peek.trueClass} ↓ · {peek.predictedClass} →
      </p>
      <div className="max-h-[70vh] overflow-auto">
        <table aria-labelledby={axes} className="w-full border-separate border-spacing-0.5 text-center">
          <thead>
            <tr>
              <td className="sticky top-0 left-0 z-20 bg-surface" />
              {labels.map((label) => (
                <th key={label} scope="col" className="sticky top-0 z-10 bg-surface px-1 text-xs font-semibold">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((label, row) => (
              <tr key={label}>
                <th scope="row" className="sticky left-0 bg-surface pr-2 text-right text-xs font-semibold">
                  {label}
                </th>
                {labels.map((predicted, column) => (
                  <Count
                    key={predicted}
                    counts={counts[row] ?? []}
                    column={column}
                    right={row === column}
                    actual={label}
                    predicted={predicted}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

interface CountProps {
  readonly counts: readonly number[]
  readonly column: number
  readonly right: boolean
  readonly actual: number
  readonly predicted: number
}

const Count = ({ counts, column, right, actual, predicted }: CountProps) => {
  const { peek } = useText()
  const format = useFormat()
  const count = counts[column] ?? 0
  const total = counts.reduce((sum, each) => sum + each, 0)
  const share = total === 0 ? 0 : count / total
  const colour = right ? 'var(--accent)' : 'var(--val)'
  return (
    <td
      title={`${peek.confusionCell(count, String(actual), String(predicted))} (${format.percent(share)})`}
      className="h-10 min-w-10 rounded border border-line"
      style={{ background: `color-mix(in oklab, ${colour} ${Math.round(share * (right ? 45 : 70))}%, var(--surface))` }}
    >
      <span className={count === 0 ? 'text-muted' : 'font-semibold'}>{format.int(count)}</span>
    </td>
  )
}
