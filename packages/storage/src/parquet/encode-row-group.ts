import { isMainThread } from 'node:worker_threads'
import { constants, crc32, createZstdCompress, type ZstdOptions, zstdCompressSync } from 'node:zlib'
import { columnOf, type RowBlock, rowsOf } from './column-block.ts'
import { type ColumnForm, pathOf, physicalType } from './column-form.ts'
import { encodePage, PageBuffer, type PlainPage } from './encode-page.ts'
import { intValue, structList, type ThriftField, type ThriftStruct, textList, writeStruct } from './thrift.ts'

const zstdLevel = 2
// A trip to another thread takes longer than the work on less than this; in a thread of ours there is one for every core already.
const tinyPage = isMainThread ? 16 * 1024 : Number.POSITIVE_INFINITY

// Numbers of the Parquet specification.
const encoding = { plain: 0, rle: 3 } as const
const zstd = 6
const dataPage = 0

export interface EncodedGroup {
  /** Bytes of all pages with their headers, in order. */
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly rows: number
  /** The entry of the footer for a group that begins at byte `start` of the file. */
  readonly metadataAt: (start: number) => ThriftStruct
}

/**
 * Encodes row groups as pages in format V1, PLAIN, Zstandard, one page per column, each with the CRC-32 that the specification has for
 * it. Values are written as the bits they are: no dictionary that takes −0 for 0 or one NaN for another. One call at a time.
 */
export class RowGroupEncoder {
  readonly #forms: readonly ColumnForm[]
  readonly #buffers: readonly PageBuffer[]
  /** How much of a page of each column was left by compression the last time. */
  readonly #left: number[]

  constructor(forms: readonly ColumnForm[]) {
    this.#forms = forms
    this.#buffers = forms.map(() => new PageBuffer())
    this.#left = forms.map(() => 0.5)
  }

  /** A block with all columns of the file, in any order. The block is not needed any more when this returns a promise. */
  async encode(block: RowBlock): Promise<EncodedGroup> {
    const pages = this.#forms.map((form, index) => ({
      form,
      page: encodePage(columnOf(block, form.name), this.#buffers[index] ?? new PageBuffer()),
    }))
    const rows = rowsOf(block)
    const chunks = await Promise.all(pages.map(({ form, page }, index) => encodeChunk(form, page, this.#left[index] ?? 1)))
    chunks.forEach(({ bytes, plainBytes }, index) => {
      this.#left[index] = bytes / plainBytes
    })
    return {
      pieces: chunks.flatMap(({ header, body }) => [header, ...body]),
      bytes: sum(chunks, ({ bytes }) => bytes),
      rows,
      metadataAt: (start) => groupMetadata(chunks, start, rows),
    }
  }
}

const groupMetadata = (chunks: readonly Chunk[], start: number, rows: number): ThriftStruct => {
  let offset = start
  const columns = chunks.map((chunk) => {
    const column = columnChunk(chunk, offset)
    offset += chunk.bytes
    return column
  })
  return struct([
    { id: 1, value: structList(columns) },
    i64(
      2,
      sum(chunks, ({ plainBytes }) => plainBytes),
    ),
    i64(3, rows),
    i64(5, start),
    i64(6, offset - start),
  ])
}

interface Chunk {
  readonly form: ColumnForm
  readonly header: Uint8Array
  readonly body: readonly Uint8Array[]
  readonly values: number
  /** Page and header as they lie in the file. */
  readonly bytes: number
  /** The same before compression. */
  readonly plainBytes: number
}

/** `left`: which part of the page is about to be left; memory for that much is asked for at once. */
const encodeChunk = async (form: ColumnForm, page: PlainPage, left: number): Promise<Chunk> => {
  const options = {
    params: { [constants.ZSTD_c_compressionLevel]: zstdLevel },
    pledgedSrcSize: page.bytes.length,
    // Room for most pages, so that they are compressed in one go; too much of it would bring the next garbage collection nearer.
    chunkSize: Math.max(1024, Math.ceil(page.bytes.length * left * 1.1)),
  }
  const body = page.bytes.length < tinyPage ? [zstdCompressSync(page.bytes, options)] : await compress(page.bytes, options)
  const bodyBytes = sum(body, (piece) => piece.length)
  const header = writeStruct(
    struct([
      { id: 1, value: intValue(dataPage, 'i32') },
      { id: 2, value: intValue(page.bytes.length, 'i32') },
      { id: 3, value: intValue(bodyBytes, 'i32') },
      // Thrift has signed numbers only.
      { id: 4, value: intValue(body.reduce((crc, piece) => crc32(piece, crc), 0) | 0, 'i32') },
      {
        id: 5,
        value: struct([
          { id: 1, value: intValue(page.values, 'i32') },
          { id: 2, value: intValue(encoding.plain, 'i32') },
          { id: 3, value: intValue(encoding.rle, 'i32') },
          { id: 4, value: intValue(encoding.rle, 'i32') },
        ]),
      },
    ]),
  )
  const bytes = header.length + bodyBytes
  return { form, header, body, values: page.values, bytes, plainBytes: header.length + page.bytes.length }
}

/** In pieces as they come: zstdCompress would copy them into one. */
const compress = async (bytes: Buffer, options: ZstdOptions): Promise<Uint8Array[]> => {
  const stream = createZstdCompress(options)
  stream.end(bytes)
  return stream.toArray()
}

const columnChunk = (chunk: Chunk, offset: number): ThriftStruct =>
  struct([
    i64(2, offset),
    {
      id: 3,
      value: struct([
        { id: 1, value: intValue(physicalType(chunk.form), 'i32') },
        { id: 2, value: encodings },
        { id: 3, value: textList(pathOf(chunk.form)) },
        { id: 4, value: intValue(zstd, 'i32') },
        i64(5, chunk.values),
        i64(6, chunk.plainBytes),
        i64(7, chunk.bytes),
        i64(9, offset),
      ]),
    },
  ])

const encodings = { kind: 'list', wire: 9, element: 5, items: [intValue(encoding.plain, 'i32'), intValue(encoding.rle, 'i32')] } as const

const struct = (fields: readonly ThriftField[]): ThriftStruct => ({ kind: 'struct', fields })

const i64 = (id: number, value: number): ThriftField => ({ id, value: intValue(value, 'i64') })

const sum = <T>(items: readonly T[], value: (item: T) => number): number => items.reduce((total, item) => total + value(item), 0)
