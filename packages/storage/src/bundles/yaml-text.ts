/**
 * Plain data as YAML that 1.1 readers (PyYAML) and 1.2 readers take alike: block style, text always in double quotes with JSON's escapes,
 * floats with a point. Undefined members are left out; dates and other objects are not plain data.
 */
export const yamlText = (value: unknown): string => `${block(value, 0).replace(/^\n/, '')}\n`

/** What stands after a key or a dash: a scalar on the same line, or a block on the lines below. */
const block = (value: unknown, depth: number): string => {
  if (Array.isArray(value))
    return value.length === 0 ? ' []' : value.map((item) => `\n${indent(depth)}-${itemText(item, depth + 1)}`).join('')
  const entries = membersOf(value)
  if (entries === null) return ` ${scalar(value)}`
  if (entries.length === 0) return ' {}'
  return entries.map(([key, member]) => `\n${indent(depth)}${keyText(key)}:${block(member, depth + 1)}`).join('')
}

/** A block inside a list begins on the line of its dash. */
const itemText = (value: unknown, depth: number): string => {
  const text = block(value, depth)
  return text.startsWith('\n') ? ` ${text.slice(1).trimStart()}` : text
}

const membersOf = (value: unknown): [string, unknown][] | null =>
  value !== null && typeof value === 'object' ? Object.entries(value).filter(([, member]) => member !== undefined) : null

const indent = (depth: number) => '  '.repeat(depth)

const plainKey = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Words that YAML 1.1 takes for booleans or null. */
const spoken = /^(y|n|yes|no|on|off|true|false|null|none)$/i

const keyText = (key: string): string => (plainKey.test(key) && !spoken.test(key) ? key : quoted(key))

const scalar = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return quoted(String(value))
}

// Controls that JSON leaves as they are and YAML does not allow.
const quoted = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text
}
