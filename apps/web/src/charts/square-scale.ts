import { extent, greatest, least, max, quantile } from 'd3-array'
import { scaleLinear } from 'd3-scale'

/** Measured and predicted values of one sample; `index` is its place in the arrays. */
export interface Point {
  readonly index: number
  readonly x: number
  readonly y: number
}

/** Points that can be drawn: both values there and finite. */
export const finitePoints = (x: readonly (number | null)[], y: readonly (number | null)[]): Point[] =>
  x.flatMap((value, index) => {
    const other = y[index]
    return typeof value === 'number' && typeof other === 'number' && Number.isFinite(value) && Number.isFinite(other)
      ? [{ index, x: value, y: other }]
      : []
  })

/** Most points drawn as SVG; beyond, every k-th of each target is drawn, extremes always. */
export const maxDrawn = 4000

interface Thinning {
  /** Values per sample, which lie beside each other. */
  readonly targets?: number
  /** Place of a point that is drawn in any case. */
  readonly marked?: number | undefined
}

export const thin = (points: readonly Point[], { targets = 1, marked }: Thinning = {}): readonly Point[] => {
  if (points.length <= maxDrawn) return points
  const step = Math.ceil(points.length / maxDrawn)
  const sizes = [(point: Point) => point.x, (point: Point) => point.y, (point: Point) => point.y - point.x]
  const kept = new Set(sizes.flatMap((size) => [least(points, size), greatest(points, size)]))
  const places = new Map<number, number>()
  return points.filter((point) => {
    const target = point.index % targets
    const place = places.get(target) ?? 0
    places.set(target, place + 1)
    return place % step === 0 || kept.has(point) || point.index === marked
  })
}

/** Limits that hold all values with a little air, rounded to ticks; one value alone still gets a range. */
export const niceDomain = (values: readonly number[]): readonly [number, number] => {
  const [low, high] = extent(values)
  if (low === undefined || high === undefined) return [0, 1]
  const air = (high - low) * 0.04 || Math.abs(high) * 0.05 || 0.5
  const [from = low, to = high] = scaleLinear([low - air, high + air], [0, 1])
    .nice(6)
    .domain()
  // Of values that differ in their last digits, a rounded limit may lie between them.
  return [Math.min(from, low), Math.max(to, high)]
}

/** One domain for both axes, so that 1:1 is at 45°. */
export const squareDomain = (points: readonly Point[]): readonly [number, number] =>
  niceDomain(points.flatMap((point) => [point.x, point.y]))

/** Symmetric around zero. */
export const residualDomain = (points: readonly Point[]): readonly [number, number] => {
  const reach = max(points, (point) => Math.abs(point.y - point.x)) || 1
  const [, high] = niceDomain([-reach, reach])
  return [-high, high]
}

/** The part of the line y = slope·x + intercept inside the square, or undefined when it does not cross it. */
export const lineInside = (
  slope: number,
  intercept: number,
  [low, high]: readonly [number, number],
): readonly [readonly [number, number], readonly [number, number]] | undefined => {
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) return undefined
  const crossings = slope === 0 ? [] : [(low - intercept) / slope, (high - intercept) / slope].toSorted((a, b) => a - b)
  const from = Math.max(low, crossings[0] ?? low)
  const to = Math.min(high, crossings[1] ?? high)
  const flatOutside = slope === 0 && (intercept < low || intercept > high)
  if (from > to || flatOutside) return undefined
  return [
    [from, slope * from + intercept],
    [to, slope * to + intercept],
  ]
}

/** Quartiles for a strip plot; undefined for no values. */
export const quartiles = (values: readonly number[]): readonly [number, number, number] | undefined => {
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map((p) => quantile(values, p))
  return q1 === undefined || q2 === undefined || q3 === undefined ? undefined : [q1, q2, q3]
}
