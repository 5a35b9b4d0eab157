/** Sum with Neumaier's compensation: figures agree with numpy's pairwise sums to the last digits whatever the length. */
export const sum = (values: Float64Array): number => {
  let total = 0
  let lost = 0
  for (const value of values) {
    const next = total + value
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
    total = next
  }
  return total + lost
}

/** NaN for an empty list, as numpy. That of equal values is that value: the sum of three 0.1 divided by three is not. */
export const mean = (values: Float64Array): number => {
  const first = values[0]
  return first !== undefined && values.every((value) => value === first) ? first : sum(values) / values.length
}

/** Sum of squared deviations from `centre`. */
export const sumOfSquares = (values: Float64Array, centre = 0): number => sum(values.map((value) => (value - centre) ** 2))

/** Quantile with linear interpolation between neighbours (numpy's default); NaN for an empty list. */
export const quantile = (values: Float64Array, share: number): number => {
  const sorted = values.toSorted()
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
