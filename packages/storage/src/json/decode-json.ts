import { parseLenient } from './parse-lenient.ts'

/** The value of a JSON column; text that is no JSON stays text, null stays null. */
export const decodeJson = (text: string | null): unknown => {
  if (text === null) return null
  try {
    return parseLenient(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
