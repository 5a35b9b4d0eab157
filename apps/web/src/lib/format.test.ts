import { describe, expect, it } from 'vitest'
import { makeFormatters } from './format.ts'

const en = makeFormatters('en')
const fr = makeFormatters('fr')

describe('numbers as text', () => {
  it('groups by narrow spaces in both languages', () => {
    expect(en.int(1_000_000)).toBe('1\u202f000\u202f000')
    expect(fr.int(1536)).toBe('1\u202f536')
  })

  it('shows scores with equal decimals, and extremes as powers of ten', () => {
    expect(en.score(0.312)).toBe('0.3120')
    expect(fr.score(0.312)).toBe('0,3120')
    expect(en.score(-1.5)).toBe('−1.5000')
    expect(en.score(0.00001234)).toBe('1.234e−5')
    expect(en.score(0)).toBe('0.0000')
    expect(en.score(250.123)).toBe('250.12')
    expect(en.score(1e300)).toBe('1.000e300')
    expect(fr.score(-4.5e-12)).toBe('−4,500e−12')
  })

  it('says 100 % of nothing that still runs', () => {
    expect([0.996, 0.29, 1, 0, 1.5].map(en.progress)).toEqual(['99%', '29%', '100%', '0%', '100%'])
    expect(en.percent(0.996)).toBe('100%')
  })

  it('keeps non-finite numbers apart from numbers', () => {
    expect(en.score('NaN')).toBe('NaN')
    expect(en.score('Infinity')).toBe('∞')
    expect(en.score('-Infinity')).toBe('−∞')
    expect(en.exact('NaN')).toBe('NaN')
    expect(en.exact(0.1)).toBe('0.1')
  })

  it('writes sizes and times as people say them', () => {
    expect(en.bytes(294_000_000)).toBe('294\u00a0MB')
    expect(fr.bytes(4_200_000)).toBe('4,2\u00a0Mo')
    expect(en.bytes(999)).toBe('999\u00a0B')
    expect(en.duration(8.2)).toBe('8\u00a0s')
    expect(en.duration(125)).toBe('2\u00a0min 5\u00a0s')
    expect(en.duration(3900)).toBe('1\u00a0h 5\u00a0min')
    expect(en.ago('2026-11-21T03:00:00Z', Date.parse('2026-11-21T03:00:05Z'))).toBe('5 sec ago')
  })
})
