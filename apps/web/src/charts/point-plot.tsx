import { scaleLinear } from 'd3-scale'
import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useState } from 'react'
import { markerPath, partitionColour } from '../ui/partition-mark.tsx'
import { Axes } from './axes.tsx'
import type { Point } from './square-scale.ts'
import { overhang, type TickTexts, textWidth, tickCount } from './tick-text.ts'

interface PointPlotProps {
  readonly dots: readonly Point[]
  readonly xDomain: readonly [number, number]
  readonly yDomain: readonly [number, number]
  readonly xLabel: string
  readonly yLabel: string
  readonly partition: string
  /** Name of the whole figure and how to step through it. */
  readonly label: string
  readonly describe: (dot: Point) => string
  /** The dot that stays marked, and its name beside it. */
  readonly pinned: Point | undefined
  readonly nameOf: (dot: Point) => string
  /** A click or Enter on a dot. */
  readonly onPin: (dot: Point) => void
  /** Texts of the ticks of an axis over this domain. */
  readonly ticks: (domain: readonly [number, number]) => TickTexts
  readonly lines: (x: (value: number) => number, y: (value: number) => number) => ReactNode
  readonly height?: number
}

const width = 392
const margin = { left: 58, top: 10, right: overhang, bottom: 42 }

/** Pixels beside the texts of the vertical axis: its name, and the space before the frame. */
const besideTicks = 28

/**
 * Dots over two linear axes. The mouse finds the nearest dot, the arrow keys step through them in order of the samples, and either
 * way the sample's name and values stand below the plot. A click or Enter pins a sample.
 */
export const PointPlot = (props: PointPlotProps) => {
  const { dots, xDomain, yDomain, describe, pinned, height = width } = props
  // By its sample: which dots are drawn, and so their places, depends on the pinned one.
  const [active, setActive] = useState<number>()
  const [xTicks, yTicks] = [props.ticks(xDomain), props.ticks(yDomain)]
  const y = scaleLinear(yDomain, [height - margin.bottom, margin.top])
  const left = Math.max(margin.left, besideTicks + textWidth(y.ticks(tickCount), yTicks.text))
  const frame = { left, top: margin.top, right: width - margin.right, bottom: height - margin.bottom }
  const x = scaleLinear(xDomain, [frame.left, frame.right])

  const dot = active === undefined ? undefined : dots.find(({ index }) => index === active)
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.key === 'Enter' || event.key === ' ') && dot !== undefined) {
      event.preventDefault()
      event.stopPropagation()
      props.onPin(dot)
      return
    }
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key]
    if (step === undefined || dots.length === 0) return
    event.preventDefault()
    event.stopPropagation()
    setActive((before) => dots[Math.min(dots.length - 1, Math.max(0, placeOf(dots, before) + step))]?.index)
  }
  const onPointerMove = (event: PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect()
    const scale = width / box.width
    setActive(nearest(dots, x, y, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale))
  }
  const told = dot ?? pinned
  return (
    <div>
      <svg
        role="img"
        aria-label={props.label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys step through the samples
        tabIndex={0}
        viewBox={`0 0 ${width} ${height}`}
        className={`block w-full touch-pan-y rounded ${dot === undefined ? '' : 'cursor-pointer'}`}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setActive(undefined)}
        onClick={() => {
          if (dot !== undefined) props.onPin(dot)
        }}
      >
        <Axes x={x} y={y} xLabel={props.xLabel} yLabel={props.yLabel} frame={frame} xTicks={xTicks} yTicks={yTicks} />
        {props.lines(x, y)}
        <Dots dots={dots} xDomain={xDomain} yDomain={yDomain} left={left} height={height} partition={props.partition} />
        {pinned === undefined ? null : (
          <Pinned x={x(pinned.x)} y={y(pinned.y)} right={frame.right} name={props.nameOf(pinned)} partition={props.partition} />
        )}
        {dot === undefined ? null : (
          <path
            d={markerPath(props.partition, 13)}
            transform={`translate(${x(dot.x)},${y(dot.y)})`}
            fill={partitionColour(props.partition)}
            stroke="var(--ink)"
            strokeWidth={1.5}
          />
        )}
      </svg>
      <p aria-live="polite" className="mt-1.5 min-h-5 px-1 text-center text-xs text-muted">
        {told === undefined ? '' : describe(told)}
      </p>
    </div>
  )
}

interface PinnedProps {
  readonly x: number
  readonly y: number
  readonly right: number
  readonly name: string
  readonly partition: string
}

/** A ring and the name; the name goes to the left where the right edge is near. */
const Pinned = ({ x, y, right, name, partition }: PinnedProps) => {
  const turned = x > right - 60
  return (
    <g transform={`translate(${x},${y})`}>
      <path d={markerPath(partition, 9)} fill={partitionColour(partition)} stroke="var(--ink)" strokeWidth={1.5} />
      <circle r={10} fill="none" stroke="var(--ink)" strokeWidth={1.5} />
      <text
        x={turned ? -15 : 15}
        dy="0.32em"
        textAnchor={turned ? 'end' : 'start'}
        fill="var(--ink)"
        stroke="var(--surface)"
        strokeWidth={4}
        paintOrder="stroke"
        className="text-[12px] font-semibold"
      >
        {name}
      </text>
    </g>
  )
}

interface DotsProps {
  readonly dots: readonly Point[]
  readonly xDomain: readonly [number, number]
  readonly yDomain: readonly [number, number]
  readonly left: number
  readonly height: number
  readonly partition: string
}

/** All dots in one path: thousands of them move and redraw as one node. Memoised, since the pointer changes only the marked dot. */
const Dots = memo(({ dots, xDomain, yDomain, left, height, partition }: DotsProps) => {
  const x = scaleLinear(xDomain, [left, width - margin.right])
  const y = scaleLinear(yDomain, [height - margin.bottom, margin.top])
  const marker = markerPath(partition, dots.length > 600 ? 5 : 7.5)
  return (
    <path
      d={dots.map((dot) => moved(marker, x(dot.x), y(dot.y))).join('')}
      fill={partitionColour(partition)}
      fillOpacity={0.55}
      stroke={partitionColour(partition)}
      strokeWidth={0.75}
    />
  )
})

/** The marker's first absolute move and its absolute lines, shifted; relative parts stay as they are. */
const moved = (path: string, dx: number, dy: number): string =>
  path.replaceAll(/([ML])(-?[\d.]+),(-?[\d.]+)/g, (_, command: string, px: string, py: string) => {
    return `${command}${(Number(px) + dx).toFixed(1)},${(Number(py) + dy).toFixed(1)}`
  })

/** Place of a sample's dot, or of the one before it where it is drawn no longer; -1 before the first. */
const placeOf = (dots: readonly Point[], sample: number | undefined): number =>
  sample === undefined ? -1 : dots.findLastIndex(({ index }) => index <= sample)

/** Pixels within which the pointer finds a dot. */
const reach = 18

/** The sample of the dot nearest to a place of the plot; undefined where none is within reach. */
const nearest = (
  dots: readonly Point[],
  x: (v: number) => number,
  y: (v: number) => number,
  px: number,
  py: number,
): number | undefined => {
  let best: number | undefined
  let least = reach * reach
  for (const dot of dots) {
    const distance = (x(dot.x) - px) ** 2 + (y(dot.y) - py) ** 2
    if (distance < least) {
      least = distance
      best = dot.index
    }
  }
  return best
}
