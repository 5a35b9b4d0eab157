import { randomUUID } from 'node:crypto'

/**
 * A JSON string (closed or not, so that no part of it is looked at again), or one of the bare words that Python's json module writes
 * for numbers that JSON does not have.
 */
const STRING_OR_WORD = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-?\bInfinity\b|\bNaN\b/g

/**
 * Parses JSON as Python writes it: bare NaN, Infinity and -Infinity become the wire strings of the same name; those words inside strings
 * stay as they are, and a key `__proto__` is data. Throws SyntaxError for anything else that is not JSON.
 */
export const parseLenient = (text: string): unknown => {
  const parsed: unknown = JSON.parse(withWords(text, (word) => `"${word}"`))
  return parsed
}

/** As `parseLenient`, with the numbers themselves. */
export const parseWithNumbers = (text: string): unknown => {
  const json = withWords(text, (word) => standIns[word] ?? word)
  const parsed: unknown = json.includes(nan) ? JSON.parse(json, (_, value) => (value === nan ? Number.NaN : value)) : JSON.parse(json)
  return parsed
}

const withWords = (text: string, standIn: (word: string) => string): string =>
  text.replace(STRING_OR_WORD, (token) => (token.startsWith('"') ? token : standIn(token)))

/** No text holds it by chance. */
const nan = `NaN ${randomUUID()}`
/** Numbers of JSON that are too large for a double are infinite. */
const standIns: Readonly<Record<string, string>> = { NaN: JSON.stringify(nan), Infinity: ' 1e999', '-Infinity': ' -1e999' }
