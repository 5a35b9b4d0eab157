import { randomUUID } from 'node:crypto'

/**
 * A JSON string (closed or not, so that no part of it is looked at again), one of the bare words that Python's json module writes for numbers
 * that JSON does not have, or a whole number of 16 digits and more.
 */
const STRING_OR_WORD = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-?\bInfinity\b|\bNaN\b|(?<![\w.+-])-?[1-9]\d{15,}(?![\w.])/g

/**
 * Parses JSON as Python writes it: bare NaN, Infinity and -Infinity become the wire strings of the same name, and whole numbers whose digits
 * a double changes (beyond 2^53) those of their digits; what stands inside strings stays as it is, and a key `__proto__` is data. Throws
 * SyntaxError for anything else that is not JSON.
 */
export const parseLenient = (text: string): unknown => {
  const parsed: unknown = JSON.parse(withWords(text, (word) => `"${word}"`))
  return parsed
}

/** As `parseLenient`, with the numbers themselves; such whole numbers are rounded. */
export const parseWithNumbers = (text: string): unknown => parseMarked(withWords(text, (word) => standIns[word] ?? word))

/** As `parseWithNumbers`, with a bigint for each whole number that a double would change. */
export const parseExactly = (text: string): unknown => parseMarked(withWords(text, (word) => standIns[word] ?? JSON.stringify(mark + word)))

const withWords = (text: string, standIn: (word: string) => string): string =>
  text.replace(STRING_OR_WORD, (token) => (token.startsWith('"') || isHeld(token) ? token : standIn(token)))

/** Whether a double keeps all digits of a number. */
const isHeld = (token: string): boolean => /\d$/.test(token) && String(Number(token)) === token

const parseMarked = (json: string): unknown => {
  const parsed: unknown = json.includes(mark)
    ? JSON.parse(json, (_, value) => (isMarked(value) ? numberOf(value) : value))
    : JSON.parse(json)
  return parsed
}

const isMarked = (value: unknown): value is string => typeof value === 'string' && value.startsWith(mark)

const numberOf = (value: string): number | bigint => {
  const word = value.slice(mark.length)
  return word === 'NaN' ? Number.NaN : BigInt(word)
}

/** No text holds it by chance. */
const mark = `${randomUUID()} `
/** Numbers of JSON that are too large for a double are infinite. */
const standIns: Readonly<Record<string, string>> = { NaN: JSON.stringify(`${mark}NaN`), Infinity: ' 1e999', '-Infinity': ' -1e999' }
