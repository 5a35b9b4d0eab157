/**
 * A bound of a range as it is shown: a bar of a distribution ends just below the next one, at 0.7999999999999999 or −5e-324, and nobody wants
 * to read that. What is no number stays as it is.
 */
export const shortBound = (bound: string): string => {
  const value = Number(bound)
  if (bound === '' || !Number.isFinite(value)) return bound
  if (Math.abs(value) < smallest) return '0'
  return String(Number(value.toPrecision(12)))
}

/** Next to it no score differs from 0. */
const smallest = 1e-300
