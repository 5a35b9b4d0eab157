import type { ClassificationFigures, RegressionFigures } from '@nirs-workspace/types'
import type { WireNumber } from '@nirs-workspace/types/number'
import { ChevronRight } from 'lucide-react'
import { useState } from 'react'
import { classNames } from '../../lib/class-names.ts'
import type { Text } from '../../text/en.ts'
import { useFormat, useText } from '../../text/text.tsx'

interface Figure {
  readonly name: string
  readonly value: string
  /** Its formula or convention. */
  readonly hint: string
}

/** The figures of merit. */
export const RegressionTable = ({ figures, rmseName, targets }: { figures: RegressionFigures; rmseName: string; targets: number }) => {
  const { peek } = useText()
  const format = useFormat()
  const names = peek.figures
  const hints = peek.formulas
  const shown: readonly Figure[] = [
    {
      name: names.n,
      value: sampleCount(figures, format.int),
      hint: figures.excluded === 0 ? countHint(peek, targets) : peek.excluded(figures.excluded),
    },
    { name: rmseName, value: format.score(figures.rmse), hint: hints.rmse },
    ...(['r2', 'bias', 'sep', 'sep_n1', 'mae', 'rpd', 'rpiq', 'slope', 'intercept'] as const).map((key) => ({
      name: names[key],
      value: format.score(figures[key]),
      hint: hints[key],
    })),
  ]
  return <Figures shown={shown} columns="grid-cols-2" />
}

/** The values, and on demand what each is: hovering alone would keep that from keys and fingers. */
const Figures = ({ shown, columns }: { shown: readonly Figure[]; columns: string }) => {
  const { peek } = useText()
  const [explained, setExplained] = useState(false)
  return (
    <div>
      <dl className={classNames('grid gap-x-6', explained ? 'grid-cols-1' : columns)}>
        {shown.map(({ name, value, hint }) => (
          <div key={name} className="flex flex-wrap items-baseline justify-between gap-x-3 border-b border-line py-1">
            <dt title={explained ? undefined : hint} className="text-muted">
              {name}
            </dt>
            <dd className="font-medium">{value}</dd>
            {explained ? <dd className="basis-full text-xs text-muted">{hint}</dd> : null}
          </div>
        ))}
      </dl>
      <button
        type="button"
        aria-expanded={explained}
        onClick={() => setExplained(!explained)}
        className="mt-1 inline-flex min-h-8 items-center gap-1 rounded text-xs text-muted hover:text-ink"
      >
        <ChevronRight size={14} aria-hidden className={classNames('transition-transform', explained && 'rotate-90')} />
        {peek.aboutFigures}
      </button>
    </div>
  )
}

/** Samples that count; those left out are said beside, never silently dropped. */
const sampleCount = ({ n, excluded }: { n: number; excluded: number }, int: (value: number) => string): string =>
  excluded === 0 ? int(n) : `${int(n)} (−${int(excluded)})`

const countHint = (peek: Text['peek'], targets: number): string => (targets === 1 ? peek.formulas.n : peek.countedValues)

export const ClassFigures = ({ figures, targets }: { figures: ClassificationFigures; targets: number }) => {
  const { peek } = useText()
  const format = useFormat()
  const score = (value: WireNumber): string => format.score(value)
  const shown: readonly Figure[] = [
    {
      name: peek.figures.n,
      value: sampleCount(figures, format.int),
      hint: figures.excluded === 0 ? countHint(peek, targets) : peek.excluded(figures.excluded),
    },
    ...(['accuracy', 'balanced_accuracy'] as const).map((key) => ({
      name: peek.figures[key],
      value: score(figures[key]),
      hint: peek.formulas[key],
    })),
  ]
  return (
    <>
      <Figures shown={shown} columns="grid-cols-1" />
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
