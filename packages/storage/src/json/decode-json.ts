import { parseExactly, parseLenient, parseWithNumbers } from './parse-lenient.ts'

/** The value of a JSON column as it crosses the wire; text that is no JSON, or too deep, stays text; null stays null. */
export const decodeJson = (text: string | null): unknown => decodeWith(parseLenient, text)

/** The same for programs: NaN and infinities are numbers. */
export const decodeNumbers = (text: string | null): unknown => decodeWith(parseWithNumbers, text)

/** The same for what is written as text: a bigint for each whole number that a double would change. */
export const decodeExactly = (text: string | null): unknown => decodeWith(parseExactly, text)

const decodeWith = (parse: (text: string) => unknown, text: string | null): unknown => {
  if (text === null) return null
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return text
    throw error
  }
}
