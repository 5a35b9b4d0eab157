import { fieldOf, type ThriftStruct, type ThriftValue } from './thrift.ts'

/** Fields of a struct as what the Parquet specification says they are; what is absent or of another kind is zero, empty or undefined. */
export const intAt = (struct: ThriftStruct | undefined, id: number): number => {
  const value = valueAt(struct, id)
  return value?.kind === 'int' ? Number(value.value) : 0
}

export const optionalIntAt = (struct: ThriftStruct | undefined, id: number): number | undefined =>
  valueAt(struct, id)?.kind === 'int' ? intAt(struct, id) : undefined

export const textAt = (struct: ThriftStruct | undefined, id: number): string => textOf(valueAt(struct, id))

export const structAt = (struct: ThriftStruct | undefined, id: number): ThriftStruct | undefined => {
  const value = valueAt(struct, id)
  return value?.kind === 'struct' ? value : undefined
}

export const structsAt = (struct: ThriftStruct | undefined, id: number): ThriftStruct[] => {
  const value = valueAt(struct, id)
  return value?.kind === 'list' ? value.items.filter((item) => item.kind === 'struct') : []
}

export const textsAt = (struct: ThriftStruct | undefined, id: number): string[] => {
  const value = valueAt(struct, id)
  return value?.kind === 'list' ? value.items.map(textOf) : []
}

const valueAt = (struct: ThriftStruct | undefined, id: number): ThriftValue | undefined =>
  struct === undefined ? undefined : fieldOf(struct, id)

const textOf = (value: ThriftValue | undefined): string => (value?.kind === 'binary' ? Buffer.from(value.bytes).toString('utf8') : '')
