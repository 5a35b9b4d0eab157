import { crc32 } from 'node:zlib'

/** What a look at many files needs of a footer, read past everything else: row groups and columns are not even counted. */
export interface ScannedFooter {
  readonly rows: number
  readonly keyValues: ReadonlyMap<string, string>
  /** The CRC-32 of the footer in which the value of the last entry is empty: what a sealed footer says itself. */
  readonly crcWithoutLast: string
}

// Compact wire types; FileMetaData and KeyValue fields.
const wire = { stop: 0, no: 2, i8: 3, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 } as const
const field = { rows: 3, keyValues: 5, key: 1, value: 2 } as const
const deepest = 64

/** Throws on anything that is not a footer. */
export const scanFooter = (bytes: Buffer): ScannedFooter => {
  const scanner = new Scanner(bytes)
  const keyValues = new Map<string, string>()
  let rows = 0
  let last = { start: 0, end: 0 }
  scanner.fields((id, type) => {
    if (id === field.rows && type === wire.i64) rows = scanner.zigzag()
    else if (id === field.keyValues && type === wire.list) {
      for (let left = scanner.listHeader().count; left > 0; left--) last = scanPair(scanner, bytes, keyValues)
    } else scanner.skip(type, 0)
  })
  return { rows, keyValues, crcWithoutLast: crcWithout(bytes, last) }
}

const scanPair = (scanner: Scanner, bytes: Buffer, into: Map<string, string>): { start: number; end: number } => {
  let key = ''
  let value = { start: scanner.position, end: scanner.position, text: { start: 0, end: 0 } }
  scanner.fields((id, type) => {
    if (type !== wire.binary) return scanner.skip(type, 0)
    const start = scanner.position
    const text = scanner.binary()
    if (id === field.key) key = bytes.toString('utf8', text.start, text.end)
    else if (id === field.value) value = { start, end: text.end, text }
  })
  into.set(key, bytes.toString('utf8', value.text.start, value.text.end))
  return value
}

/** An empty text is its length alone: one zero byte. */
const crcWithout = (bytes: Buffer, { start, end }: { start: number; end: number }): string => {
  const empty = crc32(Uint8Array.of(0), crc32(bytes.subarray(0, start)))
  return crc32(bytes.subarray(end), empty).toString(16).padStart(8, '0')
}

class Scanner {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Every field of a struct up to its end; `visit` must read or skip the value. */
  fields(visit: (id: number, type: number) => void): void {
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === wire.stop) return
      id = header >> 4 === 0 ? this.zigzag() : id + (header >> 4)
      visit(id, header & 15)
    }
  }

  skip(type: number, depth: number): void {
    if (depth > deepest) throw new Error('nested too deeply')
    if (type <= wire.no) return
    if (type === wire.i8) this.#move(1)
    else if (type <= wire.i64) this.#varint()
    else if (type === wire.double) this.#move(8)
    else if (type === wire.binary) this.binary()
    else if (type === wire.struct) this.fields((_, inner) => this.skip(inner, depth + 1))
    else if (type === wire.list || type === wire.set) this.#skipList(depth)
    else throw new Error(`unknown wire type ${type}`)
  }

  listHeader(): { count: number; element: number } {
    const header = this.#byte()
    return { count: header >> 4 === 15 ? this.#varint() : header >> 4, element: header & 15 }
  }

  binary(): { start: number; end: number } {
    const length = this.#varint()
    const start = this.position
    this.#move(length)
    return { start, end: this.position }
  }

  zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #skipList(depth: number): void {
    const { count, element } = this.listHeader()
    // Inside a list a boolean is a byte of its own.
    if (element <= wire.no) this.#move(count)
    else for (let left = count; left > 0; left--) this.skip(element, depth + 1)
  }

  #varint(): number {
    let value = 0
    let factor = 1
    for (let length = 0; length < 10; length++) {
      const byte = this.#byte()
      value += (byte % 128) * factor
      if (byte < 128) return value
      factor *= 128
    }
    throw new Error('a number is too long')
  }

  #byte(): number {
    const byte = this.#bytes[this.position]
    if (byte === undefined) throw new Error('it ends too early')
    this.position += 1
    return byte
  }

  #move(length: number): void {
    if (this.position + length > this.#bytes.length) throw new Error('it ends too early')
    this.position += length
  }
}
