/**
 * JSON as Python's json module writes it, which is what the other programs on a store read: NaN and Infinity as bare words, in objects and
 * lists of any depth. What JSON has no form for is left out of objects and null in lists, as JSON.stringify does.
 */
export const jsonText = (value: unknown): string => textOf(value) ?? 'null'

/** As `jsonText`; null stays null, so that the column is NULL. */
export const jsonOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : jsonText(value))

const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item) ?? 'null').join(', ')}]`
  if (value === null || typeof value !== 'object' || hasToJson(value)) return JSON.stringify(value)
  const members = Object.entries(value).flatMap(([key, member]) => {
    const text = textOf(member)
    return text === undefined ? [] : [`${JSON.stringify(key)}: ${text}`]
  })
  return `{${members.join(', ')}}`
}

/** Whether `jsonText` can write it: no BigInt, nothing that holds itself. */
export const isJson = (value: unknown): boolean => {
  try {
    jsonText(value)
    return true
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return false
    throw error
  }
}

export const notJson = 'holds something that JSON has no form for'

const hasToJson = (value: object): boolean => 'toJSON' in value && typeof value.toJSON === 'function'
