import {
  type Data,
  type DataType,
  Field,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import type { NumberList } from '../engine/number-list.ts'
import type { Chunk } from '../engine/stream-chunks.ts'
import type { ExportColumn } from './export-query.ts'

/** Types that an Arrow export has; other columns are written as text. */
const arrowTypes: Readonly<Record<string, () => DataType>> = {
  VARCHAR: () => new Utf8(),
  DOUBLE: () => new Float64(),
  INTEGER: () => new Int32(),
  'DOUBLE[]': () => new List(new Field('element', new Float64(), true)),
  'INTEGER[]': () => new List(new Field('element', new Int32(), true)),
}

/** The type in which a column of this DuckDB type is exported to Arrow. */
export const arrowExportType = (type: string): string => (Object.hasOwn(arrowTypes, type) ? type : 'VARCHAR')

export const arrowSchema = (columns: readonly ExportColumn[], metadata: ReadonlyMap<string, string>): Schema =>
  new Schema(
    columns.map(({ name, type }) => new Field(name, arrowTypes[arrowExportType(type)]?.() ?? new Utf8(), true)),
    new Map(metadata),
  )

/** A chunk of a result as a record batch of the schema. */
export const arrowBatch = (schema: Schema, columns: readonly ExportColumn[], chunk: Chunk): RecordBatch => {
  const children = columns.map(({ type }, index) => arrowColumn(arrowExportType(type), chunk, index))
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: chunk.rowCount, nullCount: 0, children }))
}

const arrowColumn = (type: string, chunk: Chunk, column: number): Data => {
  if (type === 'DOUBLE[]' || type === 'INTEGER[]') return listData(type, chunk, column)
  const [data] = vectorFromArray(chunk.values(column), scalarType(type)).data
  if (data === undefined) throw new Error('A column of an Arrow batch came out empty')
  return data
}

const scalarType = (type: string): Utf8 | Float64 | Int32 =>
  type === 'DOUBLE' ? new Float64() : type === 'INTEGER' ? new Int32() : new Utf8()

const listData = (type: 'DOUBLE[]' | 'INTEGER[]', chunk: Chunk, column: number): Data => {
  const reader = chunk.list(column)
  const lists = Array.from({ length: chunk.rowCount }, (_, row) => (type === 'DOUBLE[]' ? reader.floats(row) : reader.integers(row)))
  const valueOffsets = new Int32Array(lists.length + 1)
  lists.forEach((list, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + (list?.values.length ?? 0)
  })
  const child = elementData(type, lists, valueOffsets)
  const field = new Field('element', child.type, true)
  return makeData({ type: new List(field), length: lists.length, valueOffsets, child, ...validity(lists.map((list) => list !== null)) })
}

const elementData = (type: 'DOUBLE[]' | 'INTEGER[]', lists: readonly (NumberList | null)[], offsets: Int32Array): Data => {
  const length = offsets.at(-1) ?? 0
  const data = type === 'DOUBLE[]' ? new Float64Array(length) : new Int32Array(length)
  const valid = new Array<boolean>(length).fill(true)
  lists.forEach((list, row) => {
    const start = offsets[row] ?? 0
    if (list === null) return
    data.set(list.values, start)
    list.nulls?.forEach((marker, index) => {
      valid[start + index] = marker === 0
    })
  })
  return data instanceof Float64Array
    ? makeData({ type: new Float64(), length, data, ...validity(valid) })
    : makeData({ type: new Int32(), length, data, ...validity(valid) })
}

/** One bit per element, set = there; an absent bitmap means that all are there. */
const validity = (valid: readonly boolean[]): { nullCount: number; nullBitmap?: Uint8Array } => {
  const nullCount = valid.filter((there) => !there).length
  if (nullCount === 0) return { nullCount }
  const nullBitmap = new Uint8Array(Math.ceil(valid.length / 64) * 8)
  valid.forEach((there, index) => {
    if (there) nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7))
  })
  return { nullCount, nullBitmap }
}
