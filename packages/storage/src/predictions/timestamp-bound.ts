import { StorageError } from '../errors.ts'

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?(?:Z|([+-])(\d{2}):(\d{2}))?$/

/**
 * The stretch of time that a written date names: '2026-03-01' is the whole day, '2026-03-01T09:30' the whole minute. `until` lies just
 * behind it. Texts for DuckDB's TIMESTAMP, by the clock of the zone that is written behind the date; `offset` is how many minutes that
 * is ahead of UTC, 0 for Z and for none. Throws `validation`.
 */
export const timestampBound = (column: string, bound: string | number): Stretch & { offset: number } => {
  const match = PATTERN.exec(String(bound).trim())
  if (match === null) throw notATime(column, bound)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => Number(part ?? 0))
  const start = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  start.setUTCFullYear(year)
  if (!sameFields(start, [month, day, hour, minute, second])) throw notATime(column, bound)
  const offset = zoneOffset(match.slice(8))
  if (offset === undefined) throw notATime(column, bound)
  const fraction = match[7]
  if (fraction !== undefined) return { ...fractionBound(start, fraction), offset }
  const length = match[4] === undefined ? DAY : match[6] === undefined ? MINUTE : SECOND
  return { from: text(start), until: text(new Date(start.getTime() + length)), offset }
}

interface Stretch {
  readonly from: string
  readonly until: string
}

const zoneOffset = ([sign, hours, minutes]: readonly (string | undefined)[]): number | undefined => {
  if (sign === undefined) return 0
  const [ahead, rest] = [Number(hours), Number(minutes)]
  return ahead > 23 || rest > 59 ? undefined : Number(`${sign}1`) * (ahead * 60 + rest)
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** Date.UTC carries 31 June over to July; a date that does so does not exist. */
const sameFields = (date: Date, fields: readonly number[]): boolean =>
  [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].every(
    (field, index) => field === fields[index],
  )

/** DuckDB keeps microseconds, Date only milliseconds: fractions are put together as text. */
const fractionBound = (start: Date, fraction: string): Stretch => {
  const micros = Number(fraction.padEnd(6, '0'))
  const until = Number(fraction.padEnd(6, '9')) + 1
  const seconds = text(new Date(start.getTime() + (until === 1_000_000 ? SECOND : 0)))
  return { from: withMicros(text(start), micros), until: withMicros(seconds, until % 1_000_000) }
}

const withMicros = (seconds: string, micros: number): string => `${seconds}.${String(micros).padStart(6, '0')}`

/** Years of five digits have a sign and a zero in front, which DuckDB does not take. */
const text = (date: Date): string => date.toISOString().replace('+0', '').replace('T', ' ').slice(0, -5)

const notATime = (column: string, bound: string | number) =>
  new StorageError('validation', `"${bound}" is not a date, but ${column} is filtered by dates.`, {
    hint: 'Give a date such as 2026-03-01, 2026-03-01T09:30:00 or 2026-03-01T09:30:00+02:00.',
  })
