import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { tickText } from './tick-text.ts'

const { decimal } = makeFormatters('en')

describe('ticks', () => {
  it('have the decimals that their spacing needs', () => {
    expect(tickText(0.5, [0, 1], decimal)).toBe('0.5')
    expect(tickText(-20, [-40, 40], decimal)).toBe('−20')
    expect(tickText(10, [0, 100], decimal)).toBe('10')
  })

  it('are powers of ten where a row of zeros would stand', () => {
    expect(tickText(5e299, [0, 1e300], decimal)).toBe('5.00e299')
    expect(tickText(0, [0, 1e300], decimal)).toBe('0')
    expect(tickText(2e-9, [-1e-8, 1e-8], decimal)).toBe('2.00e−9')
  })
})
