/** A tick with as many decimals as the spacing of the ticks needs, and a real minus sign. */
export const tickText = (
  value: number,
  [low, high]: readonly [number, number],
  decimal: (value: number, digits: number) => string,
): string => {
  const step = (high - low) / 5
  const digits = step > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(step)))) : 2
  return decimal(value, digits).replace('-', '−')
}
