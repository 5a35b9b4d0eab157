// The types of packages/types that the storage library takes and gives, for docs/storage-reference.md: schemas as TypeScript, with the comments
// and defaults of their fields.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What packages/types exports: `describe(name)` gives comment and code of one of its names, null for what it does not export. */
export const openTypes = async (root, readDeclarations, codeOf, declared) => {
  const source = join(root, 'packages', 'types', 'src')
  const values = await import(pathToFileURL(join(source, 'index.ts')).href)
  const files = readdirSync(source).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  const parts = files.flatMap((file) => readDeclarations(join(declared, file.replace(/\.ts$/, '.d.ts'))))
  const texts = new Map(files.flatMap((file) => readStatements(readFileSync(join(source, file), 'utf8'), file)))
  const nameOf = new Map(
    Object.entries(values)
      .filter(([, value]) => isSchema(value))
      .map(([name, value]) => [value, name]),
  )
  return (name) => {
    const own = parts.filter((part) => part.name === name)
    if (own.length === 0) return null
    const comment = own.map((part) => part.comment).find((text) => text !== '') ?? ''
    const schema = values[name]
    if (!isSchema(schema)) return { comment, code: own.map(({ lines }) => codeOf(lines)).join('\n') }
    const printer = { nameOf, texts }
    const statement = [...texts.values()].find((one) => one.name === name && one.isExported)
    return { comment, code: `type ${name} = ${print(schema, printer, cursorOf(statement, texts), '', true)}` }
  }
}

const isSchema = (value) => typeof value === 'object' && value !== null && '_zod' in value

/** The constants of a file with their comments, and the fields that each one spells out, in order: `{ key, comment, value }`. */
const readStatements = (text, file) =>
  [...text.matchAll(statement)].map(([, comment, exported, name, body]) => [
    `${file}:${name}`,
    {
      file,
      name,
      isExported: exported !== undefined,
      comment: onOneLine(comment),
      base: /^(\w+)\.extend\(/.exec(body)?.[1] ?? null,
      fields: readFields(body),
    },
  ])

const statement =
  /(?:^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?^(export )?const (\w+)(?:: [^=]+)? =\s*([\s\S]*?)(?=^(?:export|const|type|interface|\/\*\*|\/\/|import)|$(?![\s\S]))/gm

const onOneLine = (comment = '') =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim()

const readFields = (body) => {
  const found = [...body.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?(?<=[{,(/]\s*|^\s+)(\w+):\s/gm)]
  return found.map((match, index) => ({
    key: match[2],
    comment: onOneLine(match[1]),
    value: body.slice(match.index + match[0].length, found[index + 1]?.index ?? body.length),
  }))
}

/** Walks through the fields of a constant in the order in which they are written. */
const cursorOf = (statement, texts) => {
  if (statement === undefined) return { fields: [], at: 0, file: '' }
  const base = statement.base === null ? undefined : lookUp(statement.base, statement.file, texts)
  return { fields: [...(base === undefined ? [] : cursorOf(base, texts).fields), ...statement.fields], at: 0, file: statement.file }
}

const lookUp = (name, file, texts) => texts.get(`${file}:${name}`) ?? [...texts.values()].find((one) => one.name === name && one.isExported)

const next = (cursor, key) => {
  const index = cursor.fields.findIndex((field, place) => place >= cursor.at && field.key === key)
  if (index < 0) return { comment: '', value: '' }
  cursor.at = index + 1
  return cursor.fields[index]
}

/** The constant that a field names, unless it spells its value out. */
const namedIn = (value, file, texts) => {
  if (value.includes('{')) return undefined
  const words = value.replace(/\/\*[\s\S]*?\*\/|'[^']*'/g, '').matchAll(/(?<![.\w])[A-Za-z]\w*/g)
  return [...words].map(([name]) => lookUp(name, file, texts)).find((one) => one !== undefined)
}

const print = (schema, printer, cursor, indent, isTop = false) => {
  const name = printer.nameOf.get(schema)
  if (!isTop && name !== undefined) return name
  const { def } = schema._zod
  const inner = (one) => print(one, printer, cursor, indent)
  const printed = printers[def.type]
  if (printed === undefined)
    throw new Error(`A schema of packages/types is a ${def.type}: scripts/reference-types.mjs cannot print it yet.`)
  return printed(def, inner, { printer, cursor, indent })
}

const inBrackets = (text) => (/[|&]/.test(text.replace(/\{[\s\S]*\}|<.*>/g, '')) ? `(${text})` : text)
const either = (texts) => [...new Set(texts)].join(' | ')
const textOf = (value) => (typeof value === 'string' ? `'${value}'` : String(value))

const printers = {
  string: () => 'string',
  number: () => 'number',
  boolean: () => 'boolean',
  null: () => 'null',
  undefined: () => 'undefined',
  unknown: () => 'unknown',
  never: () => 'never',
  literal: ({ values }) => either(values.map(textOf)),
  enum: ({ entries }) => either(Object.values(entries).map(textOf)),
  array: ({ element }, inner) => `${inBrackets(inner(element))}[]`,
  record: ({ keyType, valueType }, inner) =>
    keyType._zod.def.type === 'string' ? `Record<string, ${inner(valueType)}>` : `Partial<Record<${inner(keyType)}, ${inner(valueType)}>>`,
  union: ({ options }, inner) => either(options.map(inner)),
  nullable: ({ innerType }, inner) => either([inner(innerType), 'null']),
  optional: ({ innerType }, inner) => inner(innerType),
  default: ({ innerType }, inner) => inner(innerType),
  lazy: ({ getter }, inner) => inner(getter()),
  object: ({ shape }, _inner, { printer, cursor, indent }) => {
    const deeper = `${indent}  `
    const lines = Object.entries(shape).flatMap(([key, schema]) => {
      const { comment, value } = next(cursor, key)
      const { def } = schema._zod
      const mark = def.type === 'optional' || def.type === 'default' ? '?' : ''
      const named = namedIn(value, cursor.file, printer.texts)
      const own = comment === '' && named?.isExported === false ? named.comment : comment
      const notes = [own, def.type === 'default' ? defaultOf(def) : ''].filter((text) => text !== '').join(' ')
      const type = print(schema, printer, value.includes('{') ? cursor : cursorOf(named, printer.texts), deeper)
      const name = /^\w+$/.test(key) ? key : `'${key}'`
      return [...(notes === '' ? [] : [`${deeper}/** ${notes} */`]), `${deeper}${name}${mark}: ${type}`]
    })
    return `{\n${lines.join('\n')}\n${indent}}`
  },
}

const defaultOf = ({ defaultValue }) => `Default: ${JSON.stringify(defaultValue)}.`
