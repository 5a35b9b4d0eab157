import { type PredictionDetail, toWireNumber } from '@nirs-workspace/types'
import { entriesOf } from '../json/entries-of.ts'
import { parseLenient } from '../json/parse-lenient.ts'

type Scores = PredictionDetail['scores']
type Score = Scores[string][string]

/** `{partition: {metric: value}}` of the column `scores`; a value that stands outside any partition is filed under ''. Throws SyntaxError. */
export const decodeScores = (text: string | null): Scores => {
  const entries = text === null ? [] : (entriesOf(parseLenient(text)) ?? [])
  const loose = entries.filter(([, value]) => entriesOf(value) === undefined)
  const partitions = entries.flatMap(([partition, value]) => {
    const metrics = entriesOf(value)
    return metrics === undefined ? [] : [[partition, toScores(metrics)] as const]
  })
  // fromEntries defines properties, so that a key `__proto__` cannot set a prototype.
  return Object.fromEntries(loose.length === 0 ? partitions : [...partitions, ['', toScores(loose)]])
}

/** `{name: value}` of the column `best_params`; what is no object is filed under ''. Throws SyntaxError. */
export const decodeParams = (text: string | null): Record<string, unknown> => {
  if (text === null || text === '') return {}
  const value = parseLenient(text)
  if (value === null) return {}
  return Object.fromEntries(entriesOf(value) ?? [['', value]])
}

const toScores = (entries: [string, unknown][]): Record<string, Score> =>
  Object.fromEntries(entries.map(([metric, value]) => [metric, toScore(value)]))

const toScore = (value: unknown): Score => {
  if (value === null || typeof value === 'number') return value
  if (typeof value === 'string') return numberInText(value)
  return JSON.stringify(value)
}

const WORDS: Record<string, number> = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, infinity: Number.POSITIVE_INFINITY }

/** nirs4all 0.7 stored float32 figures as the text that Python prints: 0.42630327, nan, inf, -inf. Other text stays text. */
const numberInText = (text: string): Score => {
  const trimmed = text.trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return toWireNumber(Number(trimmed))
  const word = WORDS[trimmed.replace(/^[+-]/, '').toLowerCase()]
  if (word === undefined) return text
  return toWireNumber(trimmed.startsWith('-') ? -word : word)
}
