import { intValue, structList, type ThriftField, type ThriftStruct, type ThriftValue, textValue } from './thrift.ts'

/** A column of an array file. Everything may be null; the elements of lists too. */
export interface ColumnForm {
  readonly name: string
  readonly type: ColumnType
}

/** DuckDB's names. */
export type ColumnType = 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'DOUBLE[]' | 'INTEGER[]'

const types: readonly string[] = ['VARCHAR', 'DOUBLE', 'INTEGER', 'DOUBLE[]', 'INTEGER[]'] satisfies ColumnType[]
export const isColumnType = (type: string): type is ColumnType => types.includes(type)

export const isList = (form: ColumnForm): boolean => form.type.endsWith('[]')

// Numbers of the Parquet specification: physical types, repetition, converted and logical types, field ids of SchemaElement.
const physical = { VARCHAR: 6, DOUBLE: 5, INTEGER: 1, 'DOUBLE[]': 5, 'INTEGER[]': 1 } as const satisfies Record<ColumnType, number>
const repetition = { optional: 1, repeated: 2 } as const
const converted = { utf8: 0, list: 3 } as const
const logical = { string: 1, list: 3 } as const

export const physicalType = (form: ColumnForm): number => physical[form.type]

/** The names from the top-level column to its leaf. */
export const pathOf = (form: ColumnForm): string[] => (isList(form) ? [form.name, 'list', 'element'] : [form.name])

/** The schema elements of a file, the root first, depth first. */
export const schemaOf = (forms: readonly ColumnForm[]): ThriftStruct[] => [
  element({ name: 'schema', children: forms.length }),
  ...forms.flatMap((form) => (isList(form) ? listElements(form) : [leaf(form, form.name)])),
]

const listElements = (form: ColumnForm): ThriftStruct[] => [
  element({ name: form.name, repetition: repetition.optional, children: 1, converted: converted.list, logical: logical.list }),
  element({ name: 'list', repetition: repetition.repeated, children: 1 }),
  leaf(form, 'element'),
]

const leaf = (form: ColumnForm, name: string): ThriftStruct => {
  const shape = { name, type: physicalType(form), repetition: repetition.optional }
  return element(form.type === 'VARCHAR' ? { ...shape, converted: converted.utf8, logical: logical.string } : shape)
}

interface Element {
  readonly name: string
  readonly type?: number
  readonly repetition?: number
  readonly children?: number
  readonly converted?: number
  readonly logical?: number
}

const element = (shape: Element): ThriftStruct => ({
  kind: 'struct',
  fields: [
    ...i32(1, shape.type),
    ...i32(3, shape.repetition),
    { id: 4, value: textValue(shape.name) },
    ...i32(5, shape.children),
    ...i32(6, shape.converted),
    ...(shape.logical === undefined ? [] : [{ id: 10, value: struct([{ id: shape.logical, value: struct([]) }]) }]),
  ],
})

const i32 = (id: number, value: number | undefined): ThriftField[] => (value === undefined ? [] : [{ id, value: intValue(value, 'i32') }])

const struct = (fields: readonly ThriftField[]): ThriftStruct => ({ kind: 'struct', fields })

export const schemaValue = (forms: readonly ColumnForm[]): ThriftValue => structList(schemaOf(forms))
