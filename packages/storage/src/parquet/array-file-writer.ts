import { createHash } from 'node:crypto'
import { createFile, type NewFile } from '../files/disk.ts'
import { growCopy } from '../files/grow-file.ts'
import { unlinkIfThere } from '../files/move-file.ts'
import { columnChecksum } from './block-checksum.ts'
import { type RowBlock, rowsOf } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'
import { RowGroupEncoder } from './encode-row-group.ts'
import { footerBytes, withKeyValues } from './footer.ts'
import type { GroupFile } from './group-file.ts'
import { type EncodedRows, encodedAt } from './group-messages.ts'
import { groupExtent, movedGroup } from './group-places.ts'
import { type Checksums, type FileSummary, ownEntries, type Segment, sealed, segmentsOf } from './own-metadata.ts'
import { fileMetadata } from './parquet-writer.ts'
import { intValue, readStruct, structList, type ThriftStruct, withField } from './thrift.ts'

const magic = Buffer.from('PAR1')
const copyBytes = 8 * 1024 * 1024
// Written in large pieces; the first ones are made while the file is still being copied.
const mostWaiting = 8 * 1024 * 1024
// FileMetaData.
const field = { rows: 3, rowGroups: 4 } as const

/**
 * Writes an array file with our footer entries: a new one, or an existing one with row groups added behind those it has, which are
 * neither decoded nor changed. Nothing counts before `finish`; memory is one row group. One call at a time.
 */
export class ArrayFileWriter {
  readonly path: string
  readonly #file: Promise<NewFile>
  readonly #forms: readonly ColumnForm[]
  readonly #encoder: RowGroupEncoder
  readonly #base: ThriftStruct
  readonly #groups: ThriftStruct[]
  readonly #checksums: string[][]
  readonly #segments: readonly Segment[]
  readonly #added = createHash('sha256')
  readonly #start: number
  readonly #encoded: EncodedEntry[] = []
  #position: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #rows: number

  private constructor(path: string, forms: readonly ColumnForm[], file: Promise<NewFile>, base: ThriftStruct, source: GroupFile | null) {
    this.path = path
    this.#forms = forms
    this.#file = file
    // Whoever writes first sees a failure of the copy; until then it must not count as unhandled.
    file.catch(() => undefined)
    this.#encoder = new RowGroupEncoder(forms)
    this.#base = base
    this.#groups = source?.groups.map(({ metadata }) => metadata) ?? []
    this.#checksums = source?.groups.map((_, group) => this.#inOrder(source.checksumsOf(group))) ?? []
    this.#segments = source === null ? [] : segmentsOf(source.checksums, source.footer.start)
    this.#start = source?.footer.start ?? 0
    this.#position = this.#start
    this.#rows = source?.rows ?? 0
  }

  /** The file must not exist yet. */
  static async create(path: string, forms: readonly ColumnForm[]): Promise<ArrayFileWriter> {
    return ArrayFileWriter.#begin(path, forms, fileMetadata(forms, 0, []))
  }

  /** As `create`, with the columns (`ownForms`) of another file and what other programs have put into its footer. */
  static async like(path: string, source: GroupFile): Promise<ArrayFileWriter> {
    return ArrayFileWriter.#begin(path, source.forms, source.footer.metadata)
  }

  /** Begins to copy `source` to `path`, which must not exist yet; its columns must all be ours (`ownForms`). */
  static extend(path: string, source: GroupFile): ArrayFileWriter {
    const copy = growCopy(source.path, path, source.footer.start)
    return new ArrayFileWriter(path, source.forms, copy, source.footer.metadata, source)
  }

  static async #begin(path: string, forms: readonly ColumnForm[], base: ThriftStruct): Promise<ArrayFileWriter> {
    const writer = new ArrayFileWriter(path, forms, Promise.resolve(await createFile(path)), base, null)
    await writer.#append([magic])
    return writer
  }

  get rows(): number {
    return this.#rows
  }

  /** A block with all columns of the file, in any order. */
  async writeBlock(block: RowBlock): Promise<void> {
    const checksums = new Map(block.map((column) => [column.name, columnChecksum(column)]))
    const group = await this.#encoder.encode(block)
    const metadata = group.metadataAt(this.#position)
    this.#encoded.push({ metadata, rows: group.rows, checksums })
    this.#groups.push(metadata)
    this.#checksums.push(this.#inOrder(checksums))
    this.#rows += rowsOf(block)
    await this.#append(group.pieces)
  }

  /** A row group that was encoded with the columns of this file elsewhere. */
  async writeEncoded({ pieces, rows, metadata, checksums }: EncodedRows): Promise<void> {
    const entry = movedGroup(readStruct(metadata).struct, this.#position - encodedAt)
    this.#encoded.push({ metadata: entry, rows, checksums })
    this.#groups.push(entry)
    this.#checksums.push(this.#inOrder(checksums))
    this.#rows += rows
    await this.#append(pieces)
  }

  /** Copies a row group of a file with the same columns byte by byte. False, with nothing written, when its pages lie in several pieces. */
  async copyGroup(source: GroupFile, index: number): Promise<boolean> {
    const group = source.groups[index]
    const extent = group === undefined ? null : groupExtent(group)
    if (group === undefined || extent === null) return false
    this.#groups.push(movedGroup(group.metadata, this.#position - extent.start))
    this.#checksums.push(this.#inOrder(source.checksumsOf(index)))
    this.#rows += group.rows
    for (let at = extent.start; at < extent.end; at += copyBytes) {
      await this.#append([await source.read(at, Math.min(copyBytes, extent.end - at))])
    }
    return true
  }

  /** Writes the footer. What follows is `seal`, and to read it back: see complete-file.ts. */
  async finish(summary: FileSummary): Promise<AddedData> {
    const sha256 = this.#added.digest('hex')
    const extent = { start: this.#start, end: this.#position, sha256 }
    const entries = ownEntries(summary, this.#allChecksums(extent))
    const rows = withField(this.#base, field.rows, intValue(this.#rows, 'i64'))
    const metadata = sealed(withKeyValues(withField(rows, field.rowGroups, structList(this.#groups)), entries))
    const footer = footerBytes(metadata)
    this.#waiting.push(footer)
    await this.#flush()
    return { ...extent, footer, rows: this.#rows, forms: this.#forms, encoded: this.#encoded }
  }

  /** Flushes and closes the file. */
  async seal(): Promise<void> {
    await (await this.#file).finish()
  }

  /** Closes and removes the file, unless it could not be made: then what has its name is not ours. */
  async abandon(): Promise<void> {
    const file = await this.#file.catch(() => null)
    if (file === null) return
    await file.close()
    await unlinkIfThere(this.path)
  }

  #allChecksums(added: Pick<AddedData, 'start' | 'end' | 'sha256'>): Checksums {
    const columns = this.#forms.map(({ name }) => name)
    const common = { algorithm: 'crc32', columns, row_groups: this.#checksums } as const
    if (added.start === 0) return { ...common, data_sha256: added.sha256 }
    return { ...common, data_sha256: null, segments: [...this.#segments, { bytes: added.end - added.start, sha256: added.sha256 }] }
  }

  #inOrder(checksums: ReadonlyMap<string, string> | null): string[] {
    return checksums === null ? [] : this.#forms.map(({ name }) => checksums.get(name) ?? '')
  }

  async #append(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      this.#added.update(piece)
      this.#position += piece.length
      this.#waitingBytes += piece.length
    }
    this.#waiting.push(...pieces)
    if (this.#waitingBytes > mostWaiting) await this.#flush()
  }

  async #flush(): Promise<void> {
    const file = await this.#file
    const pieces = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    await file.append(pieces)
  }
}

/** The bytes that a writer has put between what it copied and the footer. */
export interface AddedData {
  readonly start: number
  readonly end: number
  readonly sha256: string
  /** What stands behind it, to the end of the file. */
  readonly footer: Uint8Array
  /** Of the whole file. */
  readonly rows: number
  readonly forms: readonly ColumnForm[]
  /** Row groups that were encoded, not copied. */
  readonly encoded: readonly EncodedEntry[]
}

export interface EncodedEntry {
  readonly metadata: ThriftStruct
  readonly rows: number
  /** Of the values before they were encoded. */
  readonly checksums: ReadonlyMap<string, string>
}
