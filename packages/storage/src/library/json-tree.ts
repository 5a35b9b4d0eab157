/**
 * JSON as Python reads it. `1` and `1.0` are two things (`max_features=1` is one feature, `1.0` all of them), integers have any length,
 * NaN and the infinities are numbers: a `bigint` here is an integer of the text, a `number` a float. Maps keep the order of the keys
 * and take any key, `__proto__` too.
 */
export type JsonTree = null | boolean | string | bigint | number | JsonTree[] | JsonObject
export type JsonObject = Map<string, JsonTree>

export const deepest = 500
/** Python's own limit for the digits of an integer. */
const longestInteger = 4300

const space = /[ \t\n\r]*/y
const word = /-?Infinity|NaN|null|true|false/y
const digits = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const words = new Map<string, JsonTree>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** Throws a SyntaxError that names the place. */
export const parseJsonTree = (source: string, levels = deepest): JsonTree => {
  const cursor = new Cursor(source, levels)
  const tree = readValue(cursor, 0)
  cursor.skipSpace()
  if (!cursor.atEnd) throw cursor.error('the end')
  return tree
}

/** A value of this program; `1` becomes an integer. Undefined where the value is not JSON (functions, dates, cycles, …). */
export const toJsonTree = (value: unknown, depth = 0): JsonTree | undefined => {
  if (depth > deepest) return undefined
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
  if (Array.isArray(value)) return everyTree(value.map((item) => toJsonTree(item, depth + 1)))
  if (typeof value !== 'object' || !isPlain(value)) return undefined
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const items = everyTree(entries.map(([, item]) => toJsonTree(item, depth + 1)))
  return items === undefined ? undefined : new Map(entries.map(([key], index) => [key, items[index] ?? null]))
}

const everyTree = (items: (JsonTree | undefined)[]): JsonTree[] | undefined => {
  const trees = items.filter((item) => item !== undefined)
  return trees.length === items.length ? trees : undefined
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

class Cursor {
  readonly source: string
  readonly levels: number
  at = 0

  constructor(source: string, levels: number) {
    this.source = source
    this.levels = levels
  }

  get atEnd(): boolean {
    return this.at >= this.source.length
  }

  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.source)
    if (found !== null) this.at = pattern.lastIndex
    return found
  }

  skipSpace(): void {
    this.take(space)
  }

  takeSign(sign: string): boolean {
    this.skipSpace()
    if (this.source[this.at] !== sign) return false
    this.at += 1
    return true
  }

  error(expected: string): SyntaxError {
    return new SyntaxError(`not JSON at character ${this.at}: expected ${expected}`)
  }
}

const readValue = (cursor: Cursor, depth: number): JsonTree => {
  if (depth > cursor.levels) throw new SyntaxError(`nested more than ${cursor.levels} levels deep`)
  if (cursor.takeSign('{')) return readObject(cursor, depth)
  if (cursor.takeSign('[')) return readArray(cursor, depth)
  const string = readText(cursor)
  if (string !== undefined) return string
  const known = cursor.take(word)?.[0]
  if (known !== undefined) return words.get(known) ?? null
  return readNumber(cursor)
}

const readObject = (cursor: Cursor, depth: number): JsonObject => {
  const entries: JsonObject = new Map()
  if (cursor.takeSign('}')) return entries
  do {
    cursor.skipSpace()
    const key = readText(cursor)
    if (key === undefined) throw cursor.error('a key')
    if (!cursor.takeSign(':')) throw cursor.error('":"')
    entries.set(key, readValue(cursor, depth + 1))
  } while (cursor.takeSign(','))
  if (!cursor.takeSign('}')) throw cursor.error('"," or "}"')
  return entries
}

const readArray = (cursor: Cursor, depth: number): JsonTree[] => {
  const items: JsonTree[] = []
  if (cursor.takeSign(']')) return items
  do items.push(readValue(cursor, depth + 1))
  while (cursor.takeSign(','))
  if (!cursor.takeSign(']')) throw cursor.error('"," or "]"')
  return items
}

// Looks for the end only; JSON.parse judges what is between.
const readText = (cursor: Cursor): string | undefined => {
  const { source, at } = cursor
  if (source[at] !== '"') return undefined
  let end = at + 1
  while (end < source.length && source[end] !== '"') end += source[end] === '\\' ? 2 : 1
  cursor.at = end + 1
  try {
    return String(JSON.parse(source.slice(at, end + 1)))
  } catch (error) {
    throw new SyntaxError(`not JSON at character ${at}: a text that does not end or has a sign it may not have`, { cause: error })
  }
}

const readNumber = (cursor: Cursor): JsonTree => {
  const found = cursor.take(digits)
  if (found === null) throw cursor.error('a value')
  const [lexeme, fraction, exponent] = found
  if (fraction !== undefined || exponent !== undefined) return Number(lexeme)
  if (lexeme.length > longestInteger) throw new SyntaxError(`an integer of more than ${longestInteger} digits`)
  return BigInt(lexeme)
}
