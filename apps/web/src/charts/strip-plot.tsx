import { scaleLinear } from 'd3-scale'
import { quartiles } from './square-scale.ts'

const width = 300
const height = 34

/** The scores' own ends: round numbers beyond them would suggest values that cannot be, such as an accuracy above 1. */
const ends = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)]

/** Scores as thin strokes with the middle half as a band and the median as a bar: how good, and how spread, at a glance. */
export const StripPlot = ({
  values,
  label,
  end,
}: {
  values: readonly number[]
  label: string
  /** Text of the smallest and the largest value; in full, since they are scores and not ticks. */
  end: (value: number) => string
}) => {
  const middle = quartiles(values)
  if (middle === undefined) return null
  const [low, high] = ends(values)
  const x = scaleLinear(low === high ? [low - 0.5, high + 0.5] : [low, high], [2, width - 2])
  const [q1, median, q3] = middle
  return (
    <figure>
      <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${height}`} className="block w-full">
        <title>{label}</title>
        <rect x={x(q1)} y={5} width={Math.max(1, x(q3) - x(q1))} height={24} rx={2} fill="var(--accent-soft)" />
        <path d={values.map((value) => `M${x(value).toFixed(1)},10v14`).join('')} stroke="var(--accent)" strokeOpacity={0.4} />
        <line x1={x(median)} x2={x(median)} y1={4} y2={30} stroke="var(--ink)" strokeWidth={1.5} />
      </svg>
      <figcaption className={`flex text-[0.7rem] text-muted ${low === high ? 'justify-center' : 'justify-between'}`} aria-hidden>
        <span>{end(low)}</span>
        {low === high ? null : <span>{end(high)}</span>}
      </figcaption>
    </figure>
  )
}
