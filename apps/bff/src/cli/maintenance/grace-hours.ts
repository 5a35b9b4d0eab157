import { parseNumber } from '../parse-filters.ts'

const aYear = 24 * 366

/** Hours from `--grace-hours`; what is not given is left to the engine. */
export const parseGrace = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseNumber(text, '--grace-hours', 0, aYear)
