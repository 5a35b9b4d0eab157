import { type ColumnBlock, joinColumns, type RowBlock } from './column-block.ts'

/**
 * Reads decoded columns straight from parquet-wasm's memory by Arrow's C data interface: a schema and one array struct per batch, with
 * 32-bit pointers. Values are views of that memory and may be cleared where they are null. Columns of a type that no release writes are left
 * out.
 */
export const blocksAt = (memory: ArrayBufferLike, schemaAddress: number, arrayAddresses: readonly number[]): RowBlock => {
  const wasm = new WasmView(memory)
  return wasm.children(schemaAddress, schemaStruct).flatMap((field, index) => {
    const pieces = arrayAddresses.map((address) => columnAt(wasm, field, wasm.children(address, arrayStruct)[index]))
    return pieces.length > 0 && pieces.every((piece) => piece !== null) ? [joinColumns(pieces)] : []
  })
}

// Offsets of the fields of ArrowSchema and ArrowArray where a pointer has four bytes.
const schemaStruct = { format: 0, name: 4, childCount: 24, children: 32 } as const
const arrayStruct = { length: 0, nullCount: 8, offset: 16, childCount: 32, buffers: 40, children: 44 } as const

class WasmView {
  readonly #memory: ArrayBufferLike
  readonly #view: DataView
  readonly #bytes: Uint8Array

  constructor(memory: ArrayBufferLike) {
    this.#memory = memory
    this.#view = new DataView(memory)
    this.#bytes = new Uint8Array(memory)
  }

  pointer(address: number): number {
    return this.#view.getUint32(address, true)
  }

  int(address: number): number {
    return Number(this.#view.getBigInt64(address, true))
  }

  text(address: number): string {
    const end = this.#bytes.indexOf(0, address)
    return Buffer.from(this.#memory, address, end - address).toString('utf8')
  }

  bytes(address: number, length: number): Uint8Array {
    return this.#bytes.subarray(address, address + length)
  }

  children(address: number, struct: { childCount: number; children: number }): number[] {
    const pointers = this.pointer(address + struct.children)
    return Array.from({ length: this.int(address + struct.childCount) }, (_, index) => this.pointer(pointers + index * 4))
  }

  buffer(array: number, index: number): number {
    return this.pointer(this.pointer(array + arrayStruct.buffers) + index * 4)
  }
}

const scalarWidths: Record<string, 4 | 8> = { g: 8, l: 8, i: 4 }
const offsetWidths: Record<string, 4 | 8> = { u: 4, U: 8, '+l': 4, '+L': 8 }

const columnAt = (wasm: WasmView, field: number, array: number | undefined): ColumnBlock | null => {
  if (array === undefined) return null
  const format = wasm.text(wasm.pointer(field + schemaStruct.format))
  const name = wasm.text(wasm.pointer(field + schemaStruct.name))
  const offsetWidth = offsetWidths[format]
  if (format === 'u' || format === 'U') return textColumn(wasm, name, array, offsetWidth ?? 4)
  if (offsetWidth !== undefined) return listColumn(wasm, name, field, array, offsetWidth)
  const width = scalarWidths[format]
  return width === undefined ? null : scalarColumn(wasm, name, array, width)
}

const scalarColumn = (wasm: WasmView, name: string, array: number, width: 4 | 8): ColumnBlock => {
  const rows = wasm.int(array + arrayStruct.length)
  const valid = validityAt(wasm, array, 0, rows)
  return {
    name,
    width,
    rows,
    valid,
    lengths: null,
    values: withoutNulls(valuesAt(wasm, array, 1, 0, rows, width), valid, width),
    nulls: null,
  }
}

const textColumn = (wasm: WasmView, name: string, array: number, offsetWidth: 4 | 8): ColumnBlock => {
  const { first, count, lengths } = extentAt(wasm, array, offsetWidth)
  const values = wasm.bytes(wasm.buffer(array, 2) + first, count)
  return compact({ name, width: 1, rows: lengths.length, valid: validityAt(wasm, array, 0, lengths.length), lengths, values, nulls: null })
}

const listColumn = (wasm: WasmView, name: string, field: number, array: number, offsetWidth: 4 | 8): ColumnBlock | null => {
  const [childField] = wasm.children(field, schemaStruct)
  const [child] = wasm.children(array, arrayStruct)
  const width = childField === undefined ? undefined : scalarWidths[wasm.text(wasm.pointer(childField + schemaStruct.format))]
  if (child === undefined || width === undefined) return null
  const { first, count, lengths } = extentAt(wasm, array, offsetWidth)
  const present = wasm.int(child + arrayStruct.nullCount) === 0 ? null : validityAt(wasm, child, first, count)
  const nulls = present?.includes(0) ? present.map((one) => 1 - one) : null
  const values = valuesAt(wasm, child, 1, first, count, width)
  return compact({
    name,
    width,
    rows: lengths.length,
    valid: validityAt(wasm, array, 0, lengths.length),
    lengths,
    values: nulls === null || present === null ? values : withoutNulls(values, present, width),
    nulls,
  })
}

const valuesAt = (wasm: WasmView, array: number, buffer: number, first: number, count: number, width: number): Uint8Array => {
  const start = wasm.int(array + arrayStruct.offset) + first
  return wasm.bytes(wasm.buffer(array, buffer) + start * width, count * width)
}

/** Where the elements of the rows lie, and how many each row has. */
const extentAt = (wasm: WasmView, array: number, width: 4 | 8): { first: number; count: number; lengths: Uint32Array } => {
  const rows = wasm.int(array + arrayStruct.length)
  const start = wasm.int(array + arrayStruct.offset)
  const bytes = wasm.bytes(wasm.buffer(array, 1) + start * width, (rows + 1) * width).slice()
  const offsets = width === 4 ? new Int32Array(bytes.buffer) : Int32Array.from(new BigInt64Array(bytes.buffer), Number)
  const lengths = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) lengths[row] = (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)
  const first = offsets[0] ?? 0
  return { first, count: (offsets[rows] ?? first) - first, lengths }
}

const validityAt = (wasm: WasmView, array: number, first: number, count: number): Uint8Array => {
  const valid = new Uint8Array(count).fill(1)
  const bitmap = wasm.buffer(array, 0)
  if (bitmap === 0 || wasm.int(array + arrayStruct.nullCount) === 0) return valid
  const start = wasm.int(array + arrayStruct.offset) + first
  const bits = wasm.bytes(bitmap, (start + count + 7) >> 3)
  for (let item = 0; item < count; item++) valid[item] = ((bits[(start + item) >> 3] ?? 0) >> ((start + item) & 7)) & 1
  return valid
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

/** What lies under a null is whatever the decoder left there; here it is zero. */
const withoutNulls = (values: Uint8Array, present: Uint8Array, width: number): Uint8Array => {
  if (present.includes(0)) {
    present.forEach((one, index) => {
      if (one === 0) values.fill(0, index * width, (index + 1) * width)
    })
  }
  return values
}
