import { afterEach, describe, expect, it, vi } from 'vitest'
import { clockOf, dayOf, isDay, timeAt, timeOf } from './time-bound.ts'

const at = (iso: string) => Date.parse(iso)

describe('bounds of dates in a browser in Paris', () => {
  afterEach(() => vi.unstubAllEnvs())
  const inParis = () => vi.stubEnv('TZ', 'Europe/Paris')

  it('are days of its clock where they name a zone, and their own days where they name none', () => {
    inParis()
    expect(dayOf('2026-11-21')).toBe('2026-11-21')
    expect(dayOf('2026-11-21 23:30')).toBe('2026-11-21')
    expect(dayOf('2026-11-21T23:30:01.5Z')).toBe('2026-11-22')
    expect(dayOf('2026-11-21-05:00')).toBe('2026-11-21')
    expect(dayOf('')).toBe('')
    expect([isDay('2026-11-21'), isDay('2026-11-21Z'), isDay('2026-11-21 09:30'), isDay('')]).toEqual([true, false, false, false])
    expect([timeOf('2026-11-21 09:30'), timeOf('2026-11-21Z')]).toEqual(['2026-11-21T09:30', '2026-11-21T00:00Z'])
  })

  it('lie in a distribution where the clocks of its rows show them, a last day with all its hours', () => {
    inParis()
    expect(clockOf('2026-11-21', 'min', false)).toBe(at('2026-11-21T00:00Z'))
    expect(clockOf('2026-11-21', 'min', true)).toBe(at('2026-11-20T23:00Z'))
    expect(clockOf('2026-11-21', 'max', false)).toBe(at('2026-11-21T23:59:59.999Z'))
    expect(clockOf('2026-11-21', 'max', true)).toBe(at('2026-11-21T22:59:59.999Z'))
    expect(clockOf('2026-11-21T09:30:01.5Z', 'max', true)).toBe(at('2026-11-21T09:30:01.5Z'))
    expect(clockOf('2026-11-21 09:30', 'min', true)).toBe(at('2026-11-21T08:30Z'))
    expect(clockOf('2026-11-21 09:30', 'min', false)).toBe(at('2026-11-21T09:30Z'))
    expect(clockOf(undefined, 'min', false)).toBeNaN()
  })

  it('come from a distribution to the microsecond, in UTC where its rows are, and are found there again', () => {
    inParis()
    const clock = at('2026-11-21T09:30:01.5Z') + 0.25
    expect(timeAt(clock, true)).toBe('2026-11-21T09:30:01.500250Z')
    expect(timeAt(clock, false)).toBe('2026-11-21T09:30:01.500250')
    expect(timeAt(-0.001, true)).toBe('1969-12-31T23:59:59.999999Z')
    for (const utc of [true, false]) expect(Math.abs(clockOf(timeAt(clock, utc), 'min', utc) - clock)).toBeLessThan(1)
  })
})
