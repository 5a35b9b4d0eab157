import { fromWireNumber, type WireNumber } from '@nirs-workspace/types/number'

export type Locale = 'en' | 'fr'

/** Everything that turns a figure into text, for one language. */
export interface Formatters {
  readonly locale: Locale
  readonly int: (value: number) => string
  readonly decimal: (value: number, digits: number) => string
  readonly percent: (fraction: number) => string
  /** A percentage of something that goes on: 100 only once it has ended. */
  readonly progress: (fraction: number) => string
  readonly bytes: (value: number) => string
  readonly duration: (seconds: number) => string
  readonly ago: (iso: string, now: number) => string
  readonly dateTime: (iso: string) => string
  /** A day without a time: `2026-11-21`. */
  readonly day: (iso: string) => string
  readonly score: (value: WireNumber) => string
  readonly exact: (value: WireNumber) => string
}

/** Groups of three by a narrow no-break space in both languages, as SI has it: a comma is a decimal sign for half of our readers. */
const groupSign = '\u202f'
const space = '\u00a0'

const byteUnits: Record<Locale, readonly string[]> = { en: ['B', 'kB', 'MB', 'GB', 'TB'], fr: ['o', 'ko', 'Mo', 'Go', 'To'] }

export const makeFormatters = (locale: Locale): Formatters => {
  const tag = locale === 'fr' ? 'fr-FR' : 'en-GB'
  const decimal = (value: number, digits: number): string => grouped(tag, value, digits)
  const int = (value: number): string => grouped(tag, Math.round(value), 0)
  const percent = (fraction: number): string => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }).format(fraction)
  const dates = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' })
  const days = new Intl.DateTimeFormat(tag, { dateStyle: 'medium' })
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' })
  return {
    locale,
    int,
    decimal,
    percent,
    progress: (fraction) => percent(wholePercent(fraction) / 100),
    bytes: (value) => formatBytes(value, byteUnits[locale], decimal),
    duration: (seconds) => formatDuration(seconds, int, decimal),
    ago: (iso, now) => formatAgo(relative, iso, now),
    dateTime: (iso) => formatDate(dates, iso),
    day: (iso) => formatDate(days, `${iso}T00:00`),
    score: (value) => formatScore(fromWireNumber(value), decimal),
    exact: (value) => exactNumber(fromWireNumber(value)),
  }
}

const grouped = (tag: string, value: number, digits: number): string =>
  new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .formatToParts(value)
    .map((part) => (part.type === 'group' ? groupSign : part.value))
    .join('')

/** Whole percents that are done, 0 to 100; what a fraction such as 0.29 lacks in binary does not count. */
export const wholePercent = (fraction: number): number => Math.floor(Math.min(1, Math.max(0, fraction)) * 100 + 1e-9)

const formatBytes = (value: number, units: readonly string[], decimal: Formatters['decimal']): string => {
  const step = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  const scaled = value / 1000 ** step
  const digits = step === 0 || scaled >= 100 ? 0 : 1
  return `${decimal(scaled, digits)}${space}${units[step] ?? ''}`
}

const formatDuration = (seconds: number, int: Formatters['int'], decimal: Formatters['decimal']): string => {
  if (seconds < 1) return `${decimal(Math.max(seconds, 0), 1)}${space}s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${int(whole)}${space}s`
  if (whole < 3600) return `${int(Math.floor(whole / 60))}${space}min ${int(whole % 60)}${space}s`
  return `${int(Math.floor(whole / 3600))}${space}h ${int(Math.floor((whole % 3600) / 60))}${space}min`
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

const formatAgo = (relative: Intl.RelativeTimeFormat, iso: string, now: number): string => {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000))
  if (Number.isNaN(seconds)) return iso
  for (const [unit, size] of steps) if (seconds >= size) return relative.format(-Math.floor(seconds / size), unit)
  return relative.format(-seconds, 'second')
}

const formatDate = (dates: Intl.DateTimeFormat, iso: string): string => {
  const time = Date.parse(iso)
  return Number.isNaN(time) ? iso : dates.format(time)
}

/** Four decimals keep the points of a column under each other; very large and very small values go to powers of ten. */
const formatScore = (value: number, decimal: Formatters['decimal']): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  if (isExtreme(value)) return powerOfTen(value, 3, decimal)
  const digits = size >= 1000 ? 1 : size >= 100 ? 2 : 4
  return decimal(value, digits).replace('-', '−')
}

/** Numbers that would need a row of zeros. */
export const isExtreme = (value: number): boolean => value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 100_000)

/** `1.234e−5`, with the decimal sign of the language. */
export const powerOfTen = (value: number, digits: number, decimal: Formatters['decimal']): string => {
  const [mantissa = '', exponent = ''] = value.toExponential(digits).split('e')
  return `${decimal(Number(mantissa), digits)}e${exponent.replace('+', '')}`.replaceAll('-', '−')
}

const exactNumber = (value: number): string =>
  Number.isFinite(value) ? String(value) : value > 0 ? '∞' : Number.isNaN(value) ? 'NaN' : '−∞'
