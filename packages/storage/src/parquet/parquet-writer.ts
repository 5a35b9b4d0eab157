import { createHash, type Hash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, crc32, zstdCompress } from 'node:zlib'
import { createFile, type NewFile } from '../files/disk.ts'
import { columnOf, type RowBlock, rowsOf } from './column-block.ts'
import { type ColumnForm, pathOf, physicalType, schemaValue } from './column-form.ts'
import { encodePage, PageBuffer, type PlainPage } from './encode-page.ts'
import { intValue, structList, type ThriftField, type ThriftStruct, textList, textValue, writeStruct } from './thrift.ts'

const magic = Buffer.from('PAR1')
const createdBy = 'NIRS Workspace version 0.1.0'
const zstdLevel = 3
const compress = promisify(zstdCompress)

// Numbers of the Parquet specification.
const encoding = { plain: 0, rle: 3 } as const
const zstd = 6
const dataPage = 0

/**
 * Writes an array file row group by row group: format V1, PLAIN, Zstandard, one page per column and row group, each page with the CRC-32
 * that the specification has for it. Values go to the file as the bits they are: no dictionary that takes −0 for 0 or one NaN for another.
 * Bounded memory: what is in it is one row group.
 */
export class ParquetWriter {
  readonly #file: NewFile
  readonly #forms: readonly ColumnForm[]
  readonly #buffers: readonly PageBuffer[]
  readonly #groups: ThriftStruct[] = []
  readonly #data = createHash('sha256')
  #position = 0
  #rows = 0

  private constructor(file: NewFile, forms: readonly ColumnForm[]) {
    this.#file = file
    this.#forms = forms
    this.#buffers = forms.map(() => new PageBuffer())
  }

  /** The file must not exist yet. */
  static async create(path: string, forms: readonly ColumnForm[]): Promise<ParquetWriter> {
    const writer = new ParquetWriter(await createFile(path), forms)
    await writer.#appendData([magic])
    return writer
  }

  /** A block with all columns of the file, in any order. The block is not needed any more when this returns a promise; one call at a time. */
  async writeRowGroup(block: RowBlock): Promise<void> {
    const pages = this.#forms.map((form, index) => ({
      form,
      page: encodePage(columnOf(block, form.name), this.#buffers[index] ?? new PageBuffer()),
    }))
    const chunks = await Promise.all(pages.map(({ form, page }) => encodeChunk(form, page)))
    const start = this.#position
    const columns = chunks.map((chunk) => {
      const offset = start + sum(chunks.slice(0, chunks.indexOf(chunk)), ({ bytes }) => bytes)
      return columnChunk(chunk, offset)
    })
    await this.#appendData(chunks.flatMap(({ header, body }) => [header, body]))
    this.#rows += rowsOf(block)
    this.#groups.push(
      struct([
        { id: 1, value: structList(columns) },
        i64(
          2,
          sum(chunks, ({ plainBytes }) => plainBytes),
        ),
        i64(3, rowsOf(block)),
        i64(5, start),
        i64(6, this.#position - start),
      ]),
    )
  }

  /** Writes the footer and flushes the file. The SHA-256 of the bytes before the footer, to go on with. */
  async finish(): Promise<Hash> {
    const footer = Buffer.from(
      writeStruct(
        struct([
          { id: 1, value: intValue(1, 'i32') },
          { id: 2, value: schemaValue(this.#forms) },
          i64(3, this.#rows),
          { id: 4, value: structList(this.#groups) },
          { id: 6, value: textValue(createdBy) },
        ]),
      ),
    )
    const length = Buffer.alloc(4)
    length.writeUInt32LE(footer.length)
    await this.#append([footer, length, magic])
    await this.#file.finish()
    return this.#data
  }

  /** Closes the file without a footer. */
  async abandon(): Promise<void> {
    await this.#file.close()
  }

  async #appendData(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) this.#data.update(piece)
    await this.#append(pieces)
  }

  async #append(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#file.append(pieces)
    this.#position += sum(pieces, (piece) => piece.length)
  }
}

interface Chunk {
  readonly form: ColumnForm
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly values: number
  /** Page and header as they lie in the file. */
  readonly bytes: number
  /** The same before compression. */
  readonly plainBytes: number
}

const encodeChunk = async (form: ColumnForm, page: PlainPage): Promise<Chunk> => {
  const body = await compress(page.bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: zstdLevel },
    pledgedSrcSize: page.bytes.length,
    // Room for most pages, so that they are compressed in one go.
    chunkSize: Math.max(1024, Math.ceil(page.bytes.length / 2)),
  })
  const header = writeStruct(
    struct([
      { id: 1, value: intValue(dataPage, 'i32') },
      { id: 2, value: intValue(page.bytes.length, 'i32') },
      { id: 3, value: intValue(body.length, 'i32') },
      // Thrift has signed numbers only.
      { id: 4, value: intValue(crc32(body) | 0, 'i32') },
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
  const bytes = header.length + body.length
  return { form, header, body, values: page.values, bytes, plainBytes: header.length + page.bytes.length }
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
