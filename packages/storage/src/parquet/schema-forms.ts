import { type ColumnForm, type ColumnType, schemaOf } from './column-form.ts'
import type { ThriftStruct } from './thrift.ts'
import { intAt, optionalIntAt, structAt, structsAt, textAt } from './thrift-fields.ts'

/** A top-level column as the footer describes it. */
export interface FileColumn {
  readonly name: string
  /** Null when it is of a type that array files do not have. */
  readonly form: ColumnForm | null
  /** Whether its levels and names are those that this program writes, so that its pages can stand beside ours. */
  readonly isOurs: boolean
}

// Field ids of FileMetaData and SchemaElement, converted types, repetition.
const field = { schema: 2, type: 1, repetition: 3, name: 4, children: 5, converted: 6, logical: 10 } as const
const optional = 1
const physicalTypes = { int32: 1, double: 5, bytes: 6 } as const
const converted = { utf8: 0, list: 3, int32: 17 } as const
const logical = { string: 1, list: 3, integer: 10 } as const

/** The top-level columns of a file, in its order. */
export const fileColumns = (metadata: ThriftStruct): FileColumn[] => {
  const [root, ...elements] = structsAt(metadata, field.schema)
  const columns: FileColumn[] = []
  let position = 0
  for (let column = 0; column < intAt(root, field.children) && position < elements.length; column++) {
    const end = endOf(elements, position)
    columns.push(describe(elements.slice(position, end)))
    position = end
  }
  return columns
}

/** All columns as forms; null when one of them is not what this program writes itself. */
export const ownForms = (metadata: ThriftStruct): ColumnForm[] | null => {
  const forms = fileColumns(metadata).flatMap(({ form, isOurs }) => (isOurs && form !== null ? [form] : []))
  return forms.length === fileColumns(metadata).length ? forms : null
}

const endOf = (elements: readonly ThriftStruct[], start: number): number => {
  let end = start + 1
  for (let child = intAt(elements[start], field.children); child > 0 && end < elements.length; child--) end = endOf(elements, end)
  return end
}

const describe = (elements: readonly ThriftStruct[]): FileColumn => {
  const [top] = elements
  const name = textAt(top, field.name)
  const type = elements.length === 1 ? scalarType(top) : listType(elements)
  if (type === null) return { name, form: null, isOurs: false }
  const form = { name, type }
  return { name, form, isOurs: sameLevels(elements, schemaOf([form]).slice(1)) }
}

const scalarType = (element: ThriftStruct | undefined): ColumnType | null => {
  const annotation = optionalIntAt(element, field.converted)
  const meaning = structAt(element, field.logical)
  switch (optionalIntAt(element, field.type)) {
    case physicalTypes.bytes:
      return annotation === converted.utf8 || structAt(meaning, logical.string) !== undefined ? 'VARCHAR' : null
    case physicalTypes.double:
      return 'DOUBLE'
    case physicalTypes.int32:
      return isPlainInteger(annotation, meaning) ? 'INTEGER' : null
    default:
      return null
  }
}

const isPlainInteger = (annotation: number | undefined, meaning: ThriftStruct | undefined): boolean =>
  annotation === converted.int32 ||
  (annotation === undefined && (meaning === undefined || structAt(meaning, logical.integer) !== undefined))

const listType = (elements: readonly ThriftStruct[]): ColumnType | null => {
  const [top, , leaf] = elements
  const isList =
    optionalIntAt(top, field.converted) === converted.list || structAt(structAt(top, field.logical), logical.list) !== undefined
  const inner = elements.length === 3 && isList ? scalarType(leaf) : null
  return inner === 'DOUBLE' || inner === 'INTEGER' ? `${inner}[]` : null
}

/** Same names, repetition and physical types, level by level; how they are annotated does not count. */
const sameLevels = (found: readonly ThriftStruct[], ours: readonly ThriftStruct[]): boolean =>
  found.length === ours.length && found.every((element, index) => levelOf(element) === levelOf(ours[index]))

const levelOf = (element: ThriftStruct | undefined): string =>
  [
    textAt(element, field.name),
    optionalIntAt(element, field.repetition) ?? optional,
    optionalIntAt(element, field.type),
    intAt(element, field.children),
  ].join('|')

/** Whether two files have the same columns in the same order, as far as readers of pages are concerned. */
export const sameForms = (a: readonly ColumnForm[], b: readonly ColumnForm[]): boolean =>
  a.length === b.length && a.every((form, index) => form.name === b[index]?.name && form.type === b[index].type)
