/**
 * Thrift's compact protocol, generic: a tree that keeps every wire type, so that what is read is written back byte for byte, fields
 * this program does not know included. Parquet footers are one struct of it.
 */
export type ThriftValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly wire: IntWire; readonly value: bigint }
  | { readonly kind: 'double'; readonly bytes: Uint8Array }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'list'; readonly wire: ListWire; readonly element: number; readonly items: readonly ThriftValue[] }
  | { readonly kind: 'map'; readonly key: number; readonly element: number; readonly entries: readonly [ThriftValue, ThriftValue][] }
  | ThriftStruct

export interface ThriftField {
  readonly id: number
  readonly value: ThriftValue
}
export interface ThriftStruct {
  readonly kind: 'struct'
  readonly fields: readonly ThriftField[]
}

/** i8, i16, i32, i64. */
type IntWire = 3 | 4 | 5 | 6
/** list, set. */
type ListWire = 9 | 10

const wire = { stop: 0, yes: 1, no: 2, i8: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 } as const
const deepest = 64
// What a double holds exactly, and with room: working with BigInts takes several times as long.
const longestShort = 2n ** 49n

/** Reads one struct from the start of `bytes`; throws on anything that is not one. */
export const readStruct = (bytes: Uint8Array): { struct: ThriftStruct; length: number } => {
  const reader = new Reader(bytes)
  const struct = reader.struct(0)
  return { struct, length: reader.position }
}

export const writeStruct = (struct: ThriftStruct): Uint8Array => {
  const writer = new Writer()
  writer.struct(struct)
  return writer.finish()
}

export const fieldOf = (struct: ThriftStruct, id: number): ThriftValue | undefined => struct.fields.find((field) => field.id === id)?.value

/** The same struct with one field replaced, added in its place, or (undefined) left out. */
export const withField = (struct: ThriftStruct, id: number, value: ThriftValue | undefined): ThriftStruct => {
  const others = struct.fields.filter((field) => field.id !== id)
  const fields = value === undefined ? others : [...others, { id, value }]
  return { kind: 'struct', fields: fields.toSorted((a, b) => a.id - b.id) }
}

export const intValue = (value: number | bigint, width: 'i32' | 'i64'): ThriftValue => ({
  kind: 'int',
  wire: wire[width],
  value: BigInt(value),
})
export const textValue = (text: string): ThriftValue => ({ kind: 'binary', bytes: new TextEncoder().encode(text) })
export const textList = (texts: readonly string[]): ThriftValue => ({
  kind: 'list',
  wire: wire.list,
  element: wire.binary,
  items: texts.map(textValue),
})
export const structList = (items: readonly ThriftStruct[]): ThriftValue => ({ kind: 'list', wire: wire.list, element: wire.struct, items })

export class ThriftError extends Error {
  override name = 'ThriftError'
}

class Reader {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(depth: number): ThriftStruct {
    if (depth > deepest) throw new ThriftError('nested too deeply')
    const fields: ThriftField[] = []
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === wire.stop) return { kind: 'struct', fields }
      id = header >> 4 === 0 ? Number(this.#zigzag()) : id + (header >> 4)
      fields.push({ id, value: this.#value(header & 15, depth) })
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case wire.yes:
      case wire.no:
        return { kind: 'bool', value: type === wire.yes }
      case wire.i8:
        return { kind: 'int', wire: type, value: BigInt.asIntN(8, BigInt(this.#byte())) }
      case wire.i16:
      case wire.i32:
      case wire.i64:
        return { kind: 'int', wire: type, value: this.#zigzag() }
      case wire.double:
        return { kind: 'double', bytes: this.#take(8) }
      case wire.binary:
        return { kind: 'binary', bytes: this.#take(this.#count()) }
      case wire.list:
      case wire.set:
        return this.#list(type, depth)
      case wire.map:
        return this.#map(depth)
      case wire.struct:
        return this.struct(depth + 1)
      default:
        throw new ThriftError(`unknown wire type ${type}`)
    }
  }

  #list(type: ListWire, depth: number): ThriftValue {
    const header = this.#byte()
    const count = header >> 4 === 15 ? this.#count() : header >> 4
    const element = header & 15
    const items: ThriftValue[] = []
    for (let index = 0; index < count; index++) items.push(this.#element(element, depth))
    return { kind: 'list', wire: type, element, items }
  }

  #map(depth: number): ThriftValue {
    const count = this.#count()
    if (count === 0) return { kind: 'map', key: 0, element: 0, entries: [] }
    const types = this.#byte()
    const entries: [ThriftValue, ThriftValue][] = []
    for (let index = 0; index < count; index++) entries.push([this.#element(types >> 4, depth), this.#element(types & 15, depth)])
    return { kind: 'map', key: types >> 4, element: types & 15, entries }
  }

  /** Inside lists and maps a boolean is a byte of its own. */
  #element(type: number, depth: number): ThriftValue {
    return type === wire.yes || type === wire.no ? { kind: 'bool', value: this.#byte() === 1 } : this.#value(type, depth + 1)
  }

  #byte(): number {
    const byte = this.#bytes[this.position]
    if (byte === undefined) throw new ThriftError('ends too early')
    this.position += 1
    return byte
  }

  #take(length: number): Uint8Array {
    if (this.position + length > this.#bytes.length) throw new ThriftError('ends too early')
    const taken = this.#bytes.slice(this.position, this.position + length)
    this.position += length
    return taken
  }

  /** A length or a count: never more than the bytes that are left. */
  #count(): number {
    const count = this.#varint()
    if (count > BigInt(this.#bytes.length - this.position)) throw new ThriftError('a length is larger than the data')
    return Number(count)
  }

  #varint(): bigint {
    const start = this.position
    const short = this.#shortVarint()
    if (short !== null) return BigInt(short)
    this.position = start
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new ThriftError('a number is too long')
  }

  #zigzag(): bigint {
    const start = this.position
    const short = this.#shortVarint()
    if (short !== null) return BigInt(short % 2 === 0 ? short / 2 : -(short + 1) / 2)
    this.position = start
    const value = this.#varint()
    return (value >> 1n) ^ -(value & 1n)
  }

  /** Of up to seven bytes, which a double holds exactly; null when there are more. */
  #shortVarint(): number | null {
    let value = 0
    let factor = 1
    for (let length = 0; length < 7; length++) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
    return null
  }
}

class Writer {
  #bytes = new Uint8Array(4096)
  #length = 0

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  struct(struct: ThriftStruct): void {
    let last = 0
    for (const { id, value } of struct.fields) {
      const type = wireOf(value)
      if (id > last && id - last <= 15) this.#byte(((id - last) << 4) | type)
      else {
        this.#byte(type)
        this.#zigzag(BigInt(id))
      }
      last = id
      if (value.kind !== 'bool') this.#value(value)
    }
    this.#byte(wire.stop)
  }

  #value(value: ThriftValue): void {
    if (value.kind === 'bool') this.#byte(value.value ? wire.yes : wire.no)
    else if (value.kind === 'int') this.#int(value.wire, value.value)
    else if (value.kind === 'double') this.#append(value.bytes)
    else if (value.kind === 'binary') {
      this.#varint(BigInt(value.bytes.length))
      this.#append(value.bytes)
    } else if (value.kind === 'list') this.#list(value)
    else if (value.kind === 'map') this.#map(value)
    else this.struct(value)
  }

  #int(width: IntWire, value: bigint): void {
    if (width === wire.i8) this.#byte(Number(BigInt.asUintN(8, value)))
    else this.#zigzag(value)
  }

  #list(list: Extract<ThriftValue, { kind: 'list' }>): void {
    const { length } = list.items
    if (length < 15) this.#byte((length << 4) | list.element)
    else {
      this.#byte(0xf0 | list.element)
      this.#varint(BigInt(length))
    }
    for (const item of list.items) this.#value(item)
  }

  #map(map: Extract<ThriftValue, { kind: 'map' }>): void {
    this.#varint(BigInt(map.entries.length))
    if (map.entries.length === 0) return
    this.#byte((map.key << 4) | map.element)
    for (const [key, value] of map.entries) {
      this.#value(key)
      this.#value(value)
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = byte
    this.#length += 1
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #varint(value: bigint): void {
    if (value >= 0n && value <= longestShort) {
      let rest = Number(value)
      for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128)
      this.#byte(rest)
      return
    }
    let rest = BigInt.asUintN(64, value)
    while (rest >= 128n) {
      this.#byte(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.#byte(Number(rest))
  }

  #zigzag(value: bigint): void {
    this.#varint((value << 1n) ^ (value >> 63n))
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

const wireOf = (value: ThriftValue): number => {
  switch (value.kind) {
    case 'bool':
      return value.value ? wire.yes : wire.no
    case 'int':
    case 'list':
      return value.wire
    default:
      return wire[value.kind]
  }
}
