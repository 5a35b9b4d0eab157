import { expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { timestampBound } from './timestamp-bound.ts'

test('a written date stands for the stretch of time that it names', () => {
  const day = { from: '2026-02-28 00:00:00', until: '2026-03-01 00:00:00' }
  expect(timestampBound('created_at', '2026-02-28')).toEqual({ ...day, offset: 0 })
  expect(timestampBound('created_at', '2026-02-28+05:30')).toEqual({ ...day, offset: 330 })
  expect(timestampBound('created_at', '2026-02-28-01:00')).toEqual({ ...day, offset: -60 })
  expect(timestampBound('created_at', '2026-12-31T23:59')).toEqual({ from: '2026-12-31 23:59:00', until: '2027-01-01 00:00:00', offset: 0 })
  expect(timestampBound('created_at', '2026-01-01 10:00:07Z')).toEqual({
    from: '2026-01-01 10:00:07',
    until: '2026-01-01 10:00:08',
    offset: 0,
  })
})

test('the last year of four digits ends with the year 10000, which DuckDB knows too', () => {
  expect(timestampBound('created_at', '9999-12-31')).toEqual({ from: '9999-12-31 00:00:00', until: '10000-01-01 00:00:00', offset: 0 })
  expect(timestampBound('created_at', '9999-12-31T23:59:59.999999').until).toBe('10000-01-01 00:00:00.000000')
})

test('fractions keep their microseconds', () => {
  expect(timestampBound('created_at', '2026-01-01T00:00:00.5')).toEqual({
    from: '2026-01-01 00:00:00.500000',
    until: '2026-01-01 00:00:00.600000',
    offset: 0,
  })
  expect(timestampBound('created_at', '2026-01-01T00:00:00.999999')).toEqual({
    from: '2026-01-01 00:00:00.999999',
    until: '2026-01-01 00:00:01.000000',
    offset: 0,
  })
})

test('dates that do not exist are refused', () => {
  for (const text of [
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2026-01-01T24:00',
    '2026-01-01T10:60',
    "2026-01-01' OR 1=1",
    '2026-01-01+1',
    '2026-01-01+24:00',
    '2026-01-01Z+01:00',
    5,
  ]) {
    expect(() => timestampBound('created_at', text), String(text)).toThrow(expect.toSatisfy((error) => isStorageError(error, 'validation')))
  }
})
