import { afterEach, describe, expect, it, vi } from 'vitest'
import { makeFormatters } from '../../lib/format.ts'
import { exportFilters } from './export-filters.ts'
import { filterParams } from './search.ts'
import { zonedTime } from './zoned-time.ts'

describe('times in a browser in Paris', () => {
  afterEach(() => vi.unstubAllEnvs())
  const inParis = () => vi.stubEnv('TZ', 'Europe/Paris')

  it('are shown by its clock where the store says UTC, and as they are where it says nothing', () => {
    inParis()
    const { dateTime } = makeFormatters('en')
    expect(dateTime('2026-11-21T01:00:27Z')).toBe('21 Nov 2026, 02:00')
    expect(dateTime('2026-11-21T01:00:27.123456')).toBe('21 Nov 2026, 01:00')
  })

  it('are asked for by its clock, in summer, in winter and where that changes', () => {
    inParis()
    expect(filterParams({ created_at_min: '2026-07-01', created_at_max: '2026-11-21 09:30' })).toEqual({
      created_at_min: '2026-07-01+02:00',
      created_at_max: '2026-11-21 09:30+01:00',
    })
    expect(zonedTime('2026-10-25', 'min')).toBe('2026-10-25+02:00')
    expect(zonedTime('2026-10-25', 'max')).toBe('2026-10-25+01:00')
    const range = { min: '2026-07-01T00:00:01.5+02:00' }
    expect(exportFilters({ created_at_min: '2026-07-01T00:00:01.5' })?.ranges).toEqual({ created_at: range })
  })

  it('keep the zone that they have', () => {
    inParis()
    for (const text of ['2026-07-01Z', '2026-07-01T09:30Z', '2026-07-01-05:00', '2026-07-01 09:30-05:00'])
      expect(zonedTime(text, 'max')).toBe(text)
    vi.stubEnv('TZ', 'America/St_Johns')
    expect(zonedTime('2026-01-01', 'min')).toBe('2026-01-01-03:30')
  })
})
