import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { crc32, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { StorageError } from '../errors.ts'
import { columnChecksum } from './block-checksum.ts'
import type { ColumnBlock, RowBlock } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'
import { decodePage } from './decode-page.ts'
import { type Footer, readFooterFrom } from './footer.ts'
import { type ChunkPlace, type GroupPlace, groupPlaces } from './group-places.ts'
import { type Checksums, isSealIntact, readChecksums } from './own-metadata.ts'
import { type FileColumn, fileColumns } from './schema-forms.ts'
import { readStruct } from './thrift.ts'
import { intAt, structAt } from './thrift-fields.ts'

const decompress = promisify(zstdDecompress)
// Below this a trip to another thread takes longer than the work.
const smallPage = 64 * 1024
// A row group of ours holds 64 MB of values at most, one row of which may be larger; more is not from us.
const largestPage = 2 ** 30

/**
 * A Parquet file held open for reading, with its footer. Row groups in the form that this program writes are decoded here, column by
 * column: the CRC of every page and the checksum of every column are compared on the way, so that damage is an error, never a number.
 */
export class GroupFile {
  readonly path: string
  readonly handle: FileHandle
  readonly footer: Footer
  readonly columns: readonly FileColumn[]
  readonly groups: readonly GroupPlace[]
  readonly checksums: Checksums | null
  readonly isSealIntact: boolean
  readonly #name: string
  readonly #checksumColumns: ReadonlyMap<string, number>

  private constructor(path: string, name: string, handle: FileHandle, footer: Footer) {
    this.path = path
    this.#name = name
    this.handle = handle
    this.footer = footer
    this.columns = fileColumns(footer.metadata)
    this.groups = groupPlaces(footer.metadata)
    this.isSealIntact = isSealIntact(footer.metadata)
    // What a changed footer says of checksums is worth nothing.
    this.checksums = this.isSealIntact ? readChecksums(footer) : null
    this.#checksumColumns = new Map(this.checksums?.columns.map((column, index) => [column, index]))
  }

  /** `name` is what errors call the file. Fails with `arrays_corrupt` when it is no Parquet file or its footer was changed. */
  static async open(path: string, name: string = path): Promise<GroupFile> {
    return GroupFile.from(await open(path, 'r'), path, name)
  }

  /** As `open`, for a file that is open already; it is closed with this. */
  static async from(handle: FileHandle, path: string, name: string = path): Promise<GroupFile> {
    try {
      const file = new GroupFile(path, name, handle, await readFooterFrom(handle))
      if (!file.isSealIntact) throw damagedArrays(name, 'its footer has changed since it was written')
      return file
    } catch (error) {
      await handle.close()
      if (error instanceof StorageError || !(error instanceof Error) || 'code' in error) throw error
      throw damagedArrays(name, error.message, error)
    }
  }

  get rows(): number {
    const last = this.groups.at(-1)
    return last === undefined ? 0 : last.firstRow + last.rows
  }

  /** The columns as forms; those of a type that array files do not have are left out. */
  get forms(): ColumnForm[] {
    return this.columns.flatMap(({ form }) => (form === null ? [] : [form]))
  }

  /** Whether `readColumn` can decode this row group. */
  isOwn(group: number): boolean {
    return this.columns.every(({ isOurs }) => isOurs) && this.groups[group]?.chunks.every(({ isPlain }) => isPlain) === true
  }

  /** The checksums of a row group by column; null when nobody has written any. */
  checksumsOf(group: number): ReadonlyMap<string, string> | null {
    const values = this.checksums?.row_groups[group] ?? []
    return values.length === 0 ? null : new Map(this.checksums?.columns.map((column, index) => [column, values[index] ?? '']))
  }

  /** These columns (default: all) of a row group; columns that the file lacks are left out. */
  async readGroup(group: number, names: readonly string[] = this.forms.map(({ name }) => name)): Promise<RowBlock> {
    const wanted = this.forms.filter(({ name }) => names.includes(name))
    return Promise.all(wanted.map(({ name }) => this.readColumn(group, name)))
  }

  /** `arrays_corrupt` when anything of it is not as it was written. */
  async readColumn(group: number, name: string): Promise<ColumnBlock> {
    const place = this.groups[group]
    const chunk = place?.chunks.find(({ column }) => column === name)
    const form = this.columns.find((column) => column.name === name)?.form
    if (place === undefined || chunk === undefined || !form) throw this.damaged(group, name, 'it is not there')
    try {
      const column = await decodeChunk(form, await this.#read(chunk), chunk, place.rows)
      const expected = this.checksums?.row_groups[group]?.[this.#checksumColumns.get(name) ?? -1]
      if (expected !== undefined && columnChecksum(column) !== expected) throw new Error('its values have changed since they were written')
      return column
    } catch (error) {
      if (!(error instanceof Error) || isSystemError(error)) throw error
      throw this.damaged(group, name, error.message, error)
    }
  }

  damaged(group: number, column: string, reason: string, cause?: unknown): StorageError {
    return damagedArrays(this.#name, `row group ${group}, ${column}: ${reason}`, cause)
  }

  /** Bytes from anywhere in the file. */
  async read(start: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await this.handle.read(buffer, 0, length, start)
    if (bytesRead !== length) throw new Error('the file ends too early')
    return buffer
  }

  async close(): Promise<void> {
    await this.handle.close()
  }

  #read(chunk: ChunkPlace): Promise<Buffer> {
    if (chunk.offset < 0 || chunk.bytes < 0 || chunk.offset + chunk.bytes > this.footer.start) throw new Error('its pages lie outside')
    return this.read(chunk.offset, chunk.bytes)
  }
}

// PageHeader and DataPageHeader of the specification.
const page = { type: 1, plainBytes: 2, bytes: 3, crc: 4, data: 5, values: 1, encoding: 2 } as const

const decodeChunk = async (form: ColumnForm, bytes: Buffer, chunk: ChunkPlace, rows: number): Promise<ColumnBlock> => {
  const { struct, length } = readStruct(bytes)
  const header = structAt(struct, page.data)
  const body = bytes.subarray(length)
  const plainBytes = intAt(struct, page.plainBytes)
  if (intAt(struct, page.type) !== 0 || header === undefined || intAt(header, page.encoding) !== 0) throw new Error('another kind of page')
  if (intAt(struct, page.bytes) !== body.length || intAt(header, page.values) !== chunk.values) throw new Error('more than one page')
  if (plainBytes < 0 || plainBytes > largestPage) throw new Error(`a page of ${plainBytes} bytes`)
  if (intAt(struct, page.crc) !== (crc32(body) | 0)) throw new Error('its bytes have changed since they were written')
  const options = { maxOutputLength: Math.max(1, plainBytes) }
  const plain = plainBytes < smallPage ? zstdDecompressSync(body, options) : await decompress(body, options)
  if (plain.length !== plainBytes) throw new Error('a page is shorter than it says')
  return decodePage(form, plain, chunk.values, rows)
}

const isSystemError = (error: Error): boolean => error instanceof StorageError || 'syscall' in error

const damagedArrays = (name: string, reason: string, cause?: unknown): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `${name.split(/[/\\]/).at(-1)} is damaged: ${reason}. Nothing was changed.`,
    { path: name, hint: 'Restore the file from a backup; a deep check names every damaged row group.' },
    cause,
  )
