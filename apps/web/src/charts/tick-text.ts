import { tickStep } from 'd3-array'
import type { ScaleLinear } from 'd3-scale'
import { isExtreme, powerOfTen } from '../lib/format.ts'

type Decimal = (value: number, digits: number) => string
type Domain = readonly [number, number]

/** About how many ticks an axis has. */
export const tickCount = 5

/** Significant digits for which there is room beside an axis, and those of a mantissa before a power of ten. */
const room = 5
const mantissaRoom = 3

/** Pixels of a sign in the font of the ticks, where its digits are wide. */
const signWidth = 6.6

/** Pixels that a text may reach over the end of its axis. */
export const overhang = 12

export interface TickTexts {
  readonly text: (value: number) => string
  /** What is taken from every value of the axis so that its ticks can be told apart, as ` − 1 000 000 000`; mostly nothing. */
  readonly offset: string
}

/**
 * The ticks of an axis with as many decimals as their spacing needs, and a real minus sign; very large and very small ones as powers of
 * ten. Where neighbours would differ only in digits for which there is no room, what they have in common goes to the name of the axis.
 */
export const tickTexts = ([low, high]: Domain, decimal: Decimal): TickTexts => {
  const step = tickStep(low, high, tickCount)
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (!(step > 0 && Number.isFinite(step))) return { text: (value) => plain(value, size, 2, decimal), offset: '' }
  const significant = exponentOf(size) - exponentOf(step) + 1
  const base = significant > (isExtreme(size) ? mantissaRoom : room) ? commonPart([low, high]) : 0
  const digits = Math.max(0, -exponentOf(step))
  const rest = base === 0 ? size : Math.max(Math.abs(low - base), Math.abs(high - base))
  return {
    text: (value) => plain(value - base, rest, digits, decimal),
    offset: base === 0 ? '' : ` ${base > 0 ? '−' : '+'} ${commonText(Math.abs(base), high - low, decimal)}`,
  }
}

/** Pixels that the widest of these texts takes. */
export const textWidth = (ticks: readonly number[], text: TickTexts['text']): number =>
  Math.max(0, ...ticks.map((value) => text(value).length * signWidth))

/** The ticks of a horizontal axis: fewer where their texts would touch, one of which may be moved in from the end of the axis. */
export const ticksThatFit = (scale: ScaleLinear<number, number>, text: TickTexts['text']): readonly number[] => {
  for (let count = tickCount; count > 1; count -= 1) {
    const ticks = scale.ticks(count)
    const [first, second] = ticks
    if (first === undefined || second === undefined) return ticks
    const width = textWidth(ticks, text)
    if (scale(second) - scale(first) >= width + 8 + Math.max(0, width / 2 - overhang)) return ticks
  }
  return scale.ticks(1)
}

const plain = (value: number, size: number, digits: number, decimal: Decimal): string => {
  if (isExtreme(size)) return value === 0 ? '0' : powerOfTen(value, 2, decimal)
  return decimal(value, digits).replace('-', '−')
}

/** Power of ten of the first digit. */
const exponentOf = (value: number): number => Number(value.toExponential().split('e')[1])

/** The round number next to the domain on the side of zero: what is left of each value has the sign of the value. */
const commonPart = ([low, high]: Domain): number => {
  const unit = exponentOf(high - low) + 1
  const rounded = (value: number, round: (value: number) => number): number =>
    unit >= 0 ? round(value / 10 ** unit) * 10 ** unit : round(value * 10 ** -unit) / 10 ** -unit
  return low > 0 ? rounded(low, Math.floor) : rounded(high, Math.ceil)
}

/** In full, unless that were a row of zeros. */
const commonText = (base: number, spread: number, decimal: Decimal): string => {
  const unit = exponentOf(spread) + 1
  const isLong = base >= 1e15 || base < 0.001
  return isLong ? powerOfTen(base, Math.max(0, exponentOf(base) - unit), decimal) : decimal(base, Math.max(0, -unit))
}
