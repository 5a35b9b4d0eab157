import type { Scatter } from '@nirs-workspace/types'
import { fromWireNumber, type WireNumber } from '@nirs-workspace/types/number'
import { useFormat, useText } from '../../text/text.tsx'

/** Rows drawn; longer lists belong into an export with one row per sample. */
const maxRows = 500

/** The chart as a table: sample, measured, predicted, difference. */
export const PeekSamples = ({ scatter }: { scatter: Scatter }) => {
  const { peek, common } = useText()
  const format = useFormat()
  const show = (value: WireNumber | null | undefined): string => (value == null ? '–' : format.score(value))
  const rows = scatter.y_true.slice(0, maxRows)
  return (
    <table className="w-full text-right">
      <caption className="pb-2 text-left text-muted">
        {common.samples(scatter.y_true.length)}
        {scatter.y_true.length > maxRows ? ` (1–${format.int(maxRows)})` : ''}
      </caption>
      <thead className="sticky -top-4 bg-surface text-xs text-muted">
        <tr>
          {[peek.sample(''), peek.measured, peek.predicted, peek.residual].map((name) => (
            <th key={name} scope="col" className="py-1 font-medium first:text-left">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((measured, place) => {
          const predicted = scatter.y_pred[place] ?? null
          const name = String(scatter.sample_indices?.[place] ?? place)
          return (
            <tr key={place.toString()} className="border-t border-line">
              <th scope="row" className="py-0.5 text-left font-normal">
                {name}
              </th>
              <td>{show(measured)}</td>
              <td>{show(predicted)}</td>
              <td>{measured === null || predicted === null ? '–' : show(fromWireNumber(predicted) - fromWireNumber(measured))}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
