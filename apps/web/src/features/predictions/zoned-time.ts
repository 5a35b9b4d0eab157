/**
 * The bound of a range of dates with the offset of this browser's zone behind it, as days and hours are shown here: a workspace that
 * keeps UTC needs it, one that keeps local times takes no notice. A zone that is there already stays.
 */
export const zonedTime = (text: string, end: 'min' | 'max'): string => {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}).*)?$/.exec(text)
  if (match === null || /(?:Z|[+-]\d{2}:\d{2})$/.test(text.slice('0000-00-00'.length))) return text
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map((part) => Number(part ?? 0))
  // A whole day ends by the clock of the day that follows, which may have been set forward or back in between.
  const days = end === 'max' && match[4] === undefined ? day + 1 : day
  const ahead = -new Date(year, month - 1, days, hour, minute).getTimezoneOffset()
  return `${text}${ahead < 0 ? '-' : '+'}${twoDigits(Math.floor(Math.abs(ahead) / 60))}:${twoDigits(Math.abs(ahead) % 60)}`
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')
