/** Mean of every numeric metric per partition as JSON text, to six decimals as nirs4all has it or exact. Text values (0.7.x float32) do not count. */
export class ScoreMeans {
  readonly #sums = new Map<string, Map<string, Sum>>()

  add(partition: string, scores: unknown): void {
    const inner = isObject(scores) && Object.hasOwn(scores, partition) ? scores[partition] : scores
    if (!isObject(inner)) return
    const metrics = this.#metricsOf(partition)
    for (const metric of Object.keys(inner)) {
      const number = asNumber(inner[metric])
      if (number === null) continue
      // Changed in place: stores have millions of figures.
      const known = metrics.get(metric)
      if (known === undefined) metrics.set(metric, { sum: number, count: 1 })
      else {
        known.sum += number
        known.count += 1
      }
    }
  }

  #metricsOf(partition: string): Map<string, Sum> {
    const known = this.#sums.get(partition)
    if (known !== undefined) return known
    const metrics = new Map<string, Sum>()
    this.#sums.set(partition, metrics)
    return metrics
  }

  /** Null when there is none. */
  text(precision: Precision = 'rounded'): string | null {
    if (this.#sums.size === 0) return null
    return `{${[...this.#sums].map(([partition, metrics]) => `${JSON.stringify(partition)}: {${meansOf(metrics, precision)}}`).join(', ')}}`
  }
}

interface Sum {
  sum: number
  count: number
}

type Precision = 'rounded' | 'exact'

const meansOf = (metrics: ReadonlyMap<string, Sum>, precision: Precision): string => {
  const figure = (mean: number) => pythonNumber(precision === 'exact' ? mean : roundHalfEven(mean))
  return [...metrics].map(([metric, { sum, count }]) => `${JSON.stringify(metric)}: ${figure(sum / count)}`).join(', ')
}

// Python writes NaN and Infinity as bare tokens, which JSON.parse refuses; tagged text cannot be mistaken for a metric's value.
const tag = '\u0000number:'
export const parsePythonJson = (text: string): unknown => {
  const marked = !/NaN|Infinity/.test(text)
    ? text
    : text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) => (token.startsWith('"') ? token : JSON.stringify(tag + token)))
  try {
    return JSON.parse(marked)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

const asNumber = (value: unknown): number | null => {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'string' && value.startsWith(tag) ? Number(value.slice(tag.length)) : null
}

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value)

const pythonNumber = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e16 ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value)

/** Six decimals as Python's round() does: by the exact value, exact halves to the even digit. */
const roundHalfEven = (value: number): number => {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return value
  const eighths = value * 128
  if (!Number.isInteger(eighths) || eighths % 2 === 0) return Number(value.toFixed(6))
  const below = Math.floor(value * 1e6)
  return (below % 2 === 0 ? below : below + 1) / 1e6
}
