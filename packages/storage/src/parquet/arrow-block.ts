import { type Data, DataType, type RecordBatch, type Vector } from 'apache-arrow'
import { bytesOf, type ColumnBlock, joinColumns, type RowBlock } from './column-block.ts'

/** The columns of Arrow record batches in canonical form. Columns of a type that no release writes are left out. */
export const blocksOfBatches = (batches: readonly RecordBatch[]): RowBlock => {
  const [first] = batches
  if (first === undefined) return []
  return first.schema.fields.flatMap((field, index) => {
    const pieces = batches.map((batch) => columnBlock(field.name, batch.getChildAt(index)))
    return pieces.every((piece) => piece !== null) ? [joinColumns(pieces)] : []
  })
}

const columnBlock = (name: string, vector: Vector | null): ColumnBlock | null => {
  const pieces = (vector?.data ?? []).map((data) => dataBlock(name, data))
  return pieces.length > 0 && pieces.every((piece) => piece !== null) ? joinColumns(pieces) : null
}

const dataBlock = (name: string, data: Data): ColumnBlock | null => {
  if (DataType.isList(data.type) || DataType.isLargeList(data.type)) return listBlock(name, data)
  if (DataType.isUtf8(data.type) || DataType.isLargeUtf8(data.type)) return textBlock(name, data)
  const width = scalarWidth(data.type)
  return width === null ? null : scalarBlock(name, data, width)
}

const scalarWidth = (type: DataType): 4 | 8 | null => {
  if (DataType.isFloat(type)) return type.precision === 2 ? 8 : null
  if (DataType.isInt(type)) return type.bitWidth === 32 ? 4 : type.bitWidth === 64 ? 8 : null
  return null
}

const scalarBlock = (name: string, data: Data, width: 4 | 8): ColumnBlock => {
  const valid = validity(data)
  const values = valueBytes(data, 0, data.length, width)
  return { name, width, rows: data.length, valid, lengths: null, values: withoutNulls(values, valid, width), nulls: null }
}

const textBlock = (name: string, data: Data): ColumnBlock => {
  const offsets = offsetsOf(data)
  const valid = validity(data)
  const start = offsets[0] ?? 0
  const values = asBytes(data.values).subarray(start, offsets[data.length] ?? start)
  return compact({ name, width: 1, rows: data.length, valid, lengths: lengthsOf(offsets), values, nulls: null })
}

const listBlock = (name: string, data: Data): ColumnBlock | null => {
  const [child] = data.children
  const width = child === undefined ? null : scalarWidth(child.type)
  if (child === undefined || width === null) return null
  const offsets = offsetsOf(data)
  const start = offsets[0] ?? 0
  const count = (offsets[data.length] ?? start) - start
  const present = child.nullCount > 0 ? validity(child).subarray(start, start + count) : null
  const values = valueBytes(child, start, count, width)
  const nulls = present?.includes(0) ? present.map((one) => 1 - one) : null
  return compact({
    name,
    width,
    rows: data.length,
    valid: validity(data),
    lengths: lengthsOf(offsets),
    values: nulls === null || present === null ? values : withoutNulls(values, present, width),
    nulls,
  })
}

/** Arrow lets a null row cover elements; here it has none. */
const compact = (column: ColumnBlock): ColumnBlock => {
  const { lengths, valid } = column
  if (lengths === null || !valid.some((one, row) => one === 0 && (lengths[row] ?? 0) > 0)) return column
  const kept: Uint8Array[] = []
  const keptNulls: Uint8Array[] = []
  const shorter = lengths.slice()
  let start = 0
  lengths.forEach((length, row) => {
    if (valid[row] === 1) {
      kept.push(column.values.subarray(start * column.width, (start + length) * column.width))
      if (column.nulls !== null) keptNulls.push(column.nulls.subarray(start, start + length))
    } else shorter[row] = 0
    start += length
  })
  const nulls = column.nulls === null ? null : Buffer.concat(keptNulls)
  return { ...column, lengths: shorter, values: Buffer.concat(kept), nulls: nulls?.includes(1) ? nulls : null }
}

const validity = (data: Data): Uint8Array => {
  const valid = new Uint8Array(data.length).fill(1)
  const bitmap = data.nullBitmap
  if (data.nullCount === 0 || bitmap === undefined || bitmap.length === 0) return valid
  for (let row = 0; row < data.length; row++) {
    const bit = data.offset + row
    valid[row] = ((bitmap[bit >> 3] ?? 0) >> (bit & 7)) & 1
  }
  return valid
}

const offsetsOf = (data: Data): Uint32Array => {
  const offsets: unknown = data.valueOffsets
  if (offsets instanceof BigInt64Array) return Uint32Array.from(offsets, Number)
  if (offsets instanceof Int32Array) return new Uint32Array(offsets.buffer, offsets.byteOffset, offsets.length)
  return new Uint32Array(data.length + 1)
}

const lengthsOf = (offsets: Uint32Array): Uint32Array => {
  const lengths = new Uint32Array(Math.max(0, offsets.length - 1))
  for (let row = 0; row < lengths.length; row++) lengths[row] = (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)
  return lengths
}

const valueBytes = (data: Data, start: number, count: number, width: number): Uint8Array =>
  asBytes(data.values).subarray(start * width, (start + count) * width)

const asBytes = (values: unknown): Uint8Array => {
  if (values instanceof Uint8Array) return values
  if (values instanceof Float64Array || values instanceof Int32Array || values instanceof Uint32Array) return bytesOf(values)
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return new Uint8Array(0)
}

/** What lies under a null is whatever the decoder left there; here it is zero. */
const withoutNulls = (values: Uint8Array, present: Uint8Array, width: number): Uint8Array => {
  if (!present.includes(0)) return values
  const cleared = values.slice()
  present.forEach((one, index) => {
    if (one === 0) cleared.fill(0, index * width, (index + 1) * width)
  })
  return cleared
}
