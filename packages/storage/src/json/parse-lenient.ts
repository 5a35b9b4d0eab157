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
  const parsed: unknown = JSON.parse(text.replace(STRING_OR_WORD, (token) => (token.startsWith('"') ? token : `"${token}"`)))
  return parsed
}
