import { isNumber } from '@nirs-workspace/types/filter-value'
import type { Locale } from '../../lib/format.ts'

/** What was typed into a field for a number, as an address holds it: `''` for nothing, undefined for what is no number. */
export const readBound = (typed: string, locale: Locale): string | undefined => {
  const text = withoutGroups(typed.trim()).replaceAll('−', '-')
  if (text === '') return ''
  if (locale === 'en' && isAmbiguous.test(text)) return undefined
  const number = text.replace(',', '.')
  return isNumber(number) ? number : undefined
}

/** Our own figures group by threes with a narrow space; one copied from a page must be one here. */
const withoutGroups = (text: string): string => (grouped.test(text) ? text.replace(/\s/g, '') : text)
const grouped = /^[+\-−]?\d{1,3}(\s\d{3})+(?!\s|\d)/

/** A decimal comma is as good as a point, but this one could group thousands. */
const isAmbiguous = /^[+-]?[1-9]\d{0,2},\d{3}$/
