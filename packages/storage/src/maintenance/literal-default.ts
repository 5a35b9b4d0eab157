const number = '[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?'
const value = `(?:${number}|'(?:[^']|'')*')`
const literal = new RegExp(`^(?:${value}|true|false|cast\\(${value} as \\w+\\))$`, 'i')

/**
 * What a column holds as long as nobody writes there, in SQL, from its default as the store gives it. NULL for what is no plain value: other
 * defaults give another one each time.
 */
export const literalDefault = (text: string | null): string => {
  const plain = text?.trim() ?? ''
  return literal.test(plain) ? plain : 'NULL'
}
