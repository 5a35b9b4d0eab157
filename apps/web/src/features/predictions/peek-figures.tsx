import type { ClassificationFigures, RegressionFigures } from '@nirs-workspace/types'
import type { WireNumber } from '@nirs-workspace/types/number'
import { useFormat, useText } from '../../text/text.tsx'

/** The figures of merit, each with its formula and convention on hover. */
export const RegressionTable = ({ figures, rmseName }: { figures: RegressionFigures; rmseName: string }) => {
  const { peek } = useText()
  const format = useFormat()
  const names = peek.figures
  const hints = peek.formulas
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['n', names.n, sampleCount(figures, format.int), figures.excluded === 0 ? hints.n : peek.excluded(figures.excluded)],
    ['rmse', rmseName, format.score(figures.rmse), hints.rmse],
    ...(['r2', 'bias', 'sep', 'sep_n1', 'mae', 'rpd', 'rpiq', 'slope', 'intercept'] as const).map(
      (key) => [key, names[key], format.score(figures[key]), hints[key]] as const,
    ),
  ]
  return (
    <dl className="grid grid-cols-2 gap-x-6">
      {rows.map(([key, name, value, hint]) => (
        <Row key={key} name={name} value={value} hint={hint} />
      ))}
    </dl>
  )
}

/** Samples that count; those left out are said beside, never silently dropped. */
const sampleCount = ({ n, excluded }: { n: number; excluded: number }, int: (value: number) => string): string =>
  excluded === 0 ? int(n) : `${int(n)} (−${int(excluded)})`

const Row = ({ name, value, hint }: { name: string; value: string; hint: string }) => (
  <div className="flex items-baseline justify-between gap-3 border-b border-line py-1">
    <dt title={hint} className="cursor-help text-muted underline decoration-line-strong decoration-dotted underline-offset-3">
      {name}
    </dt>
    <dd className="font-medium">{value}</dd>
  </div>
)

export const ClassFigures = ({ figures }: { figures: ClassificationFigures }) => {
  const { peek } = useText()
  const format = useFormat()
  const score = (value: WireNumber): string => format.score(value)
  return (
    <>
      <dl className="grid grid-cols-1">
        <Row
          name={peek.figures.n}
          value={sampleCount(figures, format.int)}
          hint={figures.excluded === 0 ? peek.formulas.n : peek.excluded(figures.excluded)}
        />
        <Row name={peek.figures.accuracy} value={score(figures.accuracy)} hint={peek.formulas.accuracy} />
        <Row name={peek.figures.balanced_accuracy} value={score(figures.balanced_accuracy)} hint={peek.formulas.balanced_accuracy} />
      </dl>
      <table className="w-full text-right">
        <caption className="pb-1 text-left font-semibold">{peek.perClass}</caption>
        <thead className="text-xs text-muted">
          <tr>
            {[peek.class, peek.precision, peek.recall, peek.f1, peek.support].map((name) => (
              <th key={name} scope="col" className="py-1 font-medium first:text-left">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {figures.per_class.map((row) => (
            <tr key={row.label} className="border-t border-line">
              <th scope="row" className="py-1 text-left font-medium">
                {row.label}
              </th>
              <td>{score(row.precision)}</td>
              <td>{score(row.recall)}</td>
              <td>{score(row.f1)}</td>
              <td>{format.int(row.support)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
