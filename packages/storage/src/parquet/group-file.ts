import { type FileHandle, open } from 'node:fs/promises'
import { StorageError } from '../errors.ts'
import type { ColumnBlock, RowBlock } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'
import { type Footer, readFooterFrom } from './footer.ts'
import type { GroupToRead } from './group-messages.ts'
import { chunkPlaces, type GroupPlace, groupPlaces } from './group-places.ts'
import { type Checksums, ownKeys, readChecksums } from './own-metadata.ts'
import { DamagedColumn, readChunks, readPage } from './read-chunks.ts'
import { scanFooter } from './scan-footer.ts'
import { type FileColumn, fileColumns } from './schema-forms.ts'
import { intAt } from './thrift-fields.ts'

// RowGroup of the specification.
const totalByteSize = 2

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
    this.isSealIntact = isIntact(footer)
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

  /** Whether `readColumn` can decode this row group: this program wrote it, as its checksums say. */
  isOwn(group: number): boolean {
    return (this.checksums?.row_groups[group]?.length ?? 0) > 0
  }

  /** The checksums of a row group by column; null when nobody has written any. */
  checksumsOf(group: number): ReadonlyMap<string, string> | null {
    const values = this.checksums?.row_groups[group] ?? []
    return values.length === 0 ? null : new Map(this.checksums?.columns.map((column, index) => [column, values[index] ?? '']))
  }

  /** Bytes of the values of a row group, as its entry says. */
  valueBytes(group: number): number {
    return intAt(this.groups[group]?.metadata, totalByteSize)
  }

  /** These columns (default: all) of a row group; columns that the file lacks are left out. `arrays_corrupt` unless all are as written. */
  async readGroup(group: number, names?: readonly string[]): Promise<RowBlock> {
    const columns = await readChunks(this.groupToRead(group, names), (start, length) => this.#read(start, length))
    return columns.map((column) => {
      if (column instanceof DamagedColumn) throw this.damaged(group, column.column, column.message, column.cause)
      return column
    })
  }

  /** As `readGroup`, one column that is there. */
  async readColumn(group: number, name: string): Promise<ColumnBlock> {
    const [column] = await this.readGroup(group, [name])
    if (column === undefined) throw this.damaged(group, name, 'it is not there')
    return column
  }

  /** The decompressed page of a column of a row group of ours, guarded by its CRC alone. */
  async readPage(group: number, name: string): Promise<Buffer> {
    const { end, chunks } = this.groupToRead(group, [name])
    const [chunk] = chunks
    if (chunk === undefined) throw this.damaged(group, name, 'it is not there')
    try {
      return await readPage(chunk, end, (start, length) => this.#read(start, length))
    } catch (error) {
      if (!(error instanceof Error) || 'syscall' in error) throw error
      throw this.damaged(group, name, error.message, error)
    }
  }

  /** What a thread needs to read these columns (default: all) of a row group of ours. `arrays_corrupt` when they are not there. */
  groupToRead(group: number, names: readonly string[] = this.forms.map(({ name }) => name)): GroupToRead {
    const place = this.groups[group]
    const places = place === undefined ? [] : chunkPlaces(place)
    const checksums = this.checksums?.row_groups[group]
    const chunks = this.columns.flatMap(({ name, form }, index) => {
      if (form === null || !names.includes(name)) return []
      // A list has one leaf, as a scalar has: the place of a column is the place of its pages.
      const chunk = places[index]
      if (chunk === undefined) throw this.damaged(group, name, 'it is not there')
      return [{ form, ...chunk, checksum: checksums?.[this.#checksumColumns.get(name) ?? -1] }]
    })
    return { fd: this.handle.fd, end: this.footer.start, rows: place?.rows ?? 0, chunks }
  }

  damaged(group: number, column: string, reason: string, cause?: unknown): StorageError {
    return damagedArrays(this.#name, `row group ${group}, ${column}: ${reason}`, cause)
  }

  /** Bytes from anywhere in the file. */
  async read(start: number, length: number): Promise<Buffer> {
    const buffer = await this.#read(start, length)
    if (buffer.length !== length) throw new Error('the file ends too early')
    return buffer
  }

  async close(): Promise<void> {
    await this.handle.close()
  }

  async #read(start: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.handle.read(Buffer.allocUnsafe(length), 0, length, start)
    return buffer.subarray(0, bytesRead)
  }
}

const isIntact = (footer: Footer): boolean => {
  const { keyValues, crcWithoutLast } = scanFooter(footer.bytes)
  const seal = keyValues.get(ownKeys.footer)
  return seal === undefined || seal === crcWithoutLast
}

const damagedArrays = (name: string, reason: string, cause?: unknown): StorageError =>
  new StorageError(
    'arrays_corrupt',
    `${name.split(/[/\\]/).at(-1)} is damaged: ${reason}. Nothing was changed.`,
    { path: name, hint: 'Restore the file from a backup; a deep check names every damaged row group.' },
    cause,
  )
