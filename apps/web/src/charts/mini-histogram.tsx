import { type PointerEvent, useState } from 'react'

interface Bin {
  readonly min: number
  readonly max: number
  readonly count: number
}

interface MiniHistogramProps {
  readonly bins: readonly Bin[]
  readonly chosen: { readonly min: number; readonly max: number }
  readonly label: string
  readonly barLabel: (bin: Bin) => string
  readonly onRange: (min: number, max: number) => void
}

const height = 56

/** Bars of a distribution; dragging across them chooses a range. The number fields below do the same by keyboard. */
export const MiniHistogram = ({ bins, chosen, label, barLabel, onRange }: MiniHistogramProps) => {
  const [drag, setDrag] = useState<{ from: number; to: number }>()
  if (bins.length === 0) return <div className="h-14 rounded bg-sunken" />
  const tallest = Math.max(...bins.map((bin) => bin.count), 1)
  const binAt = (event: PointerEvent<SVGSVGElement>): number => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.min(bins.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bins.length)))
  }
  const finish = (): void => {
    const first = drag && bins[Math.min(drag.from, drag.to)]
    const last = drag && bins[Math.max(drag.from, drag.to)]
    setDrag(undefined)
    // A range includes its ends, a bar does not include the next one's beginning.
    if (first !== undefined && last !== undefined) onRange(first.min, last === bins.at(-1) ? last.max : justBelow(last.max))
  }
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${bins.length} ${height}`}
      preserveAspectRatio="none"
      className="block h-14 w-full cursor-crosshair touch-none"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        setDrag({ from: binAt(event), to: binAt(event) })
      }}
      onPointerMove={(event) => {
        if (drag !== undefined) setDrag({ ...drag, to: binAt(event) })
      }}
      onPointerUp={finish}
      onPointerCancel={() => setDrag(undefined)}
    >
      {bins.map((bin, index) => (
        <Bar key={bin.min} bin={bin} index={index} tallest={tallest} on={isChosen(bins, index, chosen, drag)} title={barLabel(bin)} />
      ))}
    </svg>
  )
}

/** The square root keeps small bars visible beside a tall one; an empty bin draws nothing. */
const Bar = ({ bin, index, tallest, on, title }: { bin: Bin; index: number; tallest: number; on: boolean; title: string }) => {
  const size = bin.count === 0 ? 0 : Math.max(2, Math.sqrt(bin.count / tallest) * (height - 2))
  return (
    <g>
      <rect x={index} y={0} width={1} height={height} fill="transparent" />
      <rect x={index + 0.06} y={height - size} width={0.88} height={size} fill={on ? 'var(--accent)' : 'var(--line-strong)'} />
      <title>{title}</title>
    </g>
  )
}

/** A range includes its ends, as does the last bar; the others end below the next one. */
const isChosen = (
  bins: readonly Bin[],
  index: number,
  chosen: MiniHistogramProps['chosen'],
  drag: { from: number; to: number } | undefined,
): boolean => {
  const bin = bins[index]
  if (bin === undefined) return false
  if (drag !== undefined) return index >= Math.min(drag.from, drag.to) && index <= Math.max(drag.from, drag.to)
  const isBelow = index === bins.length - 1 ? bin.max < chosen.min : bin.max <= chosen.min
  return !isBelow && !(bin.min > chosen.max)
}

/** The next smaller number. */
const justBelow = (value: number): number => {
  if (value === 0) return -Number.MIN_VALUE
  const bits = new BigInt64Array(1)
  const numbers = new Float64Array(bits.buffer)
  numbers[0] = value
  bits[0] = (bits[0] ?? 0n) + (value > 0 ? -1n : 1n)
  return numbers[0]
}
