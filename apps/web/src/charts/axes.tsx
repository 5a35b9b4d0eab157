import type { ScaleLinear } from 'd3-scale'
import { overhang, type TickTexts, textWidth, tickCount, ticksThatFit } from './tick-text.ts'

type Scale = ScaleLinear<number, number>

interface AxesProps {
  readonly x: Scale
  readonly y: Scale
  readonly xLabel: string
  readonly yLabel: string
  /** Left, top, right and bottom edge of the plot in pixels. */
  readonly frame: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }
  readonly xTicks: TickTexts
  readonly yTicks: TickTexts
}

/** Grid lines, ticks and names of both axes. */
export const Axes = ({ x, y, xLabel, yLabel, frame, xTicks, yTicks }: AxesProps) => (
  <g aria-hidden className="text-[11px]">
    {ticksThatFit(x, xTicks.text).map((value) => (
      <g key={value} transform={`translate(${x(value)},0)`}>
        <line y1={frame.top} y2={frame.bottom} stroke="var(--line)" />
        <text
          x={movedIn(x(value), textWidth([value], xTicks.text), frame.right)}
          y={frame.bottom + 15}
          textAnchor="middle"
          fill="var(--muted)"
        >
          {xTicks.text(value)}
        </text>
      </g>
    ))}
    {y.ticks(tickCount).map((value) => (
      <g key={value} transform={`translate(0,${y(value)})`}>
        <line x1={frame.left} x2={frame.right} stroke="var(--line)" />
        <text x={frame.left - 6} dy="0.32em" textAnchor="end" fill="var(--muted)">
          {yTicks.text(value)}
        </text>
      </g>
    ))}
    <rect
      x={frame.left}
      y={frame.top}
      width={frame.right - frame.left}
      height={frame.bottom - frame.top}
      fill="none"
      stroke="var(--line-strong)"
    />
    <text x={(frame.left + frame.right) / 2} y={frame.bottom + 33} textAnchor="middle" fill="var(--ink)">
      {xLabel + xTicks.offset}
    </text>
    <text transform={`translate(13,${(frame.top + frame.bottom) / 2}) rotate(-90)`} textAnchor="middle" fill="var(--ink)">
      {yLabel + yTicks.offset}
    </text>
  </g>
)

/** Pixels to move the text of a tick, so that it does not reach over the edge of the picture. */
const movedIn = (place: number, width: number, right: number): number => Math.min(0, right + overhang - place - width / 2)
