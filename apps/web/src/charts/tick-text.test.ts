import { ticks } from 'd3-array'
import { scaleLinear } from 'd3-scale'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeFormatters } from '../lib/format.ts'
import { niceDomain } from './square-scale.ts'
import { textWidth, tickCount, ticksThatFit, tickTexts } from './tick-text.ts'

const { decimal } = makeFormatters('en')

const textsOf = ([low, high]: readonly [number, number]): string[] =>
  ticks(low, high, tickCount).map((value) => tickTexts([low, high], decimal).text(value))

describe('ticks', () => {
  it('have the decimals that their spacing needs', () => {
    expect(textsOf([0, 1])).toEqual(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'])
    expect(textsOf([-40, 40])).toEqual(['−40', '−20', '0', '20', '40'])
    expect(tickTexts([0, 100], decimal).offset).toBe('')
  })

  it('are powers of ten where a row of zeros would stand', () => {
    expect(tickTexts([0, 1e300], decimal).text(5e299)).toBe('5.00e299')
    expect(tickTexts([0, 1e300], decimal).text(0)).toBe('0')
    expect(tickTexts([-1e-8, 1e-8], decimal).text(2e-9)).toBe('2.00e−9')
  })

  it('leave what large values have in common to the name of the axis', () => {
    expect(textsOf([1e9 + 8, 1e9 + 16])).toEqual(['8', '10', '12', '14', '16'])
    expect(tickTexts([1e9 + 8, 1e9 + 16], decimal).offset).toBe(' − 1\u202f000\u202f000\u202f000')
    expect(textsOf([-1e9 - 16, -1e9 - 8])).toEqual(['−16', '−14', '−12', '−10', '−8'])
    expect(tickTexts([-1e9 - 16, -1e9 - 8], decimal).offset).toBe(' + 1\u202f000\u202f000\u202f000')
    expect(tickTexts([20.000012, 20.000018], decimal).offset).toBe(' − 20.00001')
  })

  it('differ from their neighbours, whatever the values and their spread, and fit beside the axis', () => {
    const span = fc.record({
      mantissa: fc.double({ min: 1, max: 9.99, noNaN: true }),
      exponent: fc.integer({ min: -200, max: 200 }),
      smaller: fc.integer({ min: 0, max: 9 }),
      sign: fc.constantFrom(1, -1),
    })
    fc.assert(
      fc.property(span, ({ mantissa, exponent, smaller, sign }) => {
        const value = sign * mantissa * 10 ** exponent
        const texts = textsOf(niceDomain([value, value + 10 ** (exponent - smaller)]))
        expect(new Set(texts).size).toBe(texts.length)
        for (const text of texts) expect(text.length).toBeLessThanOrEqual(10)
      }),
    )
  })
})

describe('ticks that fit', () => {
  const fitting = (low: number, high: number) => {
    const { text } = tickTexts([low, high], decimal)
    const scale = scaleLinear([low, high], [58, 380])
    const shown = ticksThatFit(scale, text)
    const [first = low, second = high] = shown
    return { shown, gap: scale(second) - scale(first), width: textWidth(shown, text) }
  }

  it('are as many as ever where their texts are short', () => {
    expect(fitting(0, 1).shown).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
  })

  it.each([
    [-1e300, 1e300],
    [-2.4e300, 2.1e300],
    [0.9e-12, 2.2e-12],
    [-9e99, 9e99],
  ])('never touch each other: %d to %d', (low, high) => {
    const { shown, gap, width } = fitting(low, high)
    expect(shown.length).toBeGreaterThan(0)
    expect(gap).toBeGreaterThan(width)
  })
})
