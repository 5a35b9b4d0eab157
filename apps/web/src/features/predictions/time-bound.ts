import { zonedTime } from './zoned-time.ts'

type End = 'min' | 'max'

const written = /^(\d{4}-\d{2}-\d{2})(?:[T ]([\d:.]+))?(Z|[+-]\d{2}:\d{2})?$/
const partsOf = (bound: string) => {
  const [, day = '', time, zone = ''] = written.exec(bound) ?? []
  return { day, time, zone }
}

/** Whether a bound is a whole day of whatever clock its times are shown by. */
export const isDay = (bound: string): boolean => {
  const { day, time, zone } = partsOf(bound)
  return day !== '' && time === undefined && zone === ''
}

/** The bound as a time in ISO 8601. */
export const timeOf = (bound: string): string => {
  const { day, time = '00:00', zone } = partsOf(bound)
  return `${day}T${time}${zone}`
}

/** The day of a bound by the clock of this browser; `''` for none. */
export const dayOf = (bound: string): string => {
  const { day, zone } = partsOf(bound)
  return zone === '' ? day : localDay(new Date(timeOf(bound)))
}

const localDay = (time: Date): string =>
  [
    String(time.getFullYear()).padStart(4, '0'),
    ...[time.getMonth() + 1, time.getDate()].map((value) => String(value).padStart(2, '0')),
  ].join('-')

const dayMilliseconds = 86_400_000

/** Where a bound lies among the clocks of a distribution, in milliseconds; NaN for none. `utc`: they show UTC. */
export const clockOf = (bound: string | undefined, end: End, utc: boolean): number => {
  if (bound === undefined) return Number.NaN
  const { day, time, zone } = partsOf(utc ? zonedTime(bound, end) : bound)
  const clock = Date.parse(`${day}T${time ?? '00:00'}${utc ? zone : 'Z'}`)
  return end === 'max' && time === undefined ? clock + dayMilliseconds - 1 : clock
}

/** A clock of a distribution as a time, to the microsecond. */
export const timeAt = (clock: number, utc: boolean): string => {
  const microseconds = Math.round(clock * 1000)
  const milliseconds = Math.floor(microseconds / 1000)
  const rest = String(microseconds - 1000 * milliseconds).padStart(3, '0')
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}${utc ? 'Z' : ''}`
}
