import { isExtreme, powerOfTen } from '../lib/format.ts'

type Decimal = (value: number, digits: number) => string

/** A tick with as many decimals as the spacing of the ticks needs, and a real minus sign; very large and very small ones as powers of ten. */
export const tickText = (value: number, [low, high]: readonly [number, number], decimal: Decimal): string => {
  const step = (high - low) / 5
  if (isExtreme(Math.max(Math.abs(low), Math.abs(high)))) return value === 0 ? '0' : powerOfTen(value, 2, decimal)
  const digits = step > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(step)))) : 2
  return decimal(value, digits).replace('-', '−')
}
