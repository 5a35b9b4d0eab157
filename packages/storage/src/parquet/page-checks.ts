import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { GroupFile } from './group-file.ts'
import { type GroupPlace, placeOf } from './group-places.ts'
import { readStruct, type ThriftStruct } from './thrift.ts'
import { intAt, optionalIntAt, structAt, structsAt, textsAt } from './thrift-fields.ts'

/** The pages (of ours: the page) of one column of one row group, as a sealed footer describes them. */
export interface PagePlace {
  readonly column: string
  readonly offset: number
  /** With their headers. */
  readonly bytes: number
  readonly plainBytes: number
  readonly values: number
}

export interface GroupPages {
  readonly firstRow: number
  readonly rows: number
  readonly pages: readonly PagePlace[]
}

/** `unknown`: not a page as this program writes it; only its values tell. */
export type PageState = 'sound' | 'changed' | 'unknown'

// Fields of RowGroup, ColumnChunk, ColumnMetaData, PageHeader and DataPageHeader in the Parquet specification.
const columnsOf = 1
const metadataOf = 3
const column = { path: 3, plainBytes: 6 } as const
const page = { type: 1, plainBytes: 2, bytes: 3, crc: 4, data: 5 } as const
const data = { values: 1, encoding: 2, definition: 3, repetition: 4 } as const
const encoding = { plain: 0, rle: 3 } as const

export const groupPages = (file: GroupFile): GroupPages[] => file.groups.map(pagesOf)

const pagesOf = ({ firstRow, rows, metadata }: GroupPlace): GroupPages => ({
  firstRow,
  rows,
  pages: structsAt(metadata, columnsOf).map((entry) => {
    const described = structAt(entry, metadataOf)
    return {
      column: textsAt(described, column.path)[0] ?? '',
      plainBytes: intAt(described, column.plainBytes),
      ...placeOf(entry),
    }
  }),
})

/**
 * Whether a page lies in the file as it was written, without decompressing it: its CRC-32 guards the bytes, the sealed footer says what
 * its header must be. A few milliseconds per row group.
 */
export const checkPage = async (handle: FileHandle, place: PagePlace): Promise<PageState> => {
  if (place.offset < 0 || place.bytes <= 0 || place.bytes > largestPage) return 'unknown'
  const bytes = Buffer.allocUnsafe(place.bytes)
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, place.offset)
  if (bytesRead !== bytes.length) return 'changed'
  const header = headerOf(bytes)
  if (header === null || !isOurs(header, place)) return 'unknown'
  return optionalIntAt(header.struct, page.crc) === (crc32(bytes.subarray(header.length)) | 0) ? 'sound' : 'changed'
}

const largestPage = 2 ** 30

interface Header {
  readonly struct: ThriftStruct
  readonly length: number
}

const headerOf = (bytes: Buffer): Header | null => {
  try {
    return readStruct(bytes)
  } catch (error) {
    if (error instanceof Error && error.name === 'ThriftError') return null
    throw error
  }
}

const isOurs = ({ struct, length }: Header, place: PagePlace): boolean => {
  const values = structAt(struct, page.data)
  return (
    struct.fields.length === 5 &&
    values?.fields.length === 4 &&
    optionalIntAt(struct, page.crc) !== undefined &&
    intAt(struct, page.type) === 0 &&
    intAt(struct, page.bytes) === place.bytes - length &&
    intAt(struct, page.plainBytes) === place.plainBytes - length &&
    intAt(values, data.values) === place.values &&
    intAt(values, data.encoding) === encoding.plain &&
    intAt(values, data.definition) === encoding.rle &&
    intAt(values, data.repetition) === encoding.rle
  )
}
