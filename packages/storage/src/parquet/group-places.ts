import { intValue, type ThriftStruct, withField } from './thrift.ts'
import { intAt, intsAt, optionalIntAt, structAt, structsAt, textsAt } from './thrift-fields.ts'

/** One column of one row group: where its pages lie. */
export interface ChunkPlace {
  readonly column: string
  readonly offset: number
  readonly bytes: number
  readonly values: number
  /** Zstandard, PLAIN, no dictionary: what this program writes and reads itself. */
  readonly isPlain: boolean
}

export interface GroupPlace {
  readonly rows: number
  /** Number of the first row in the file. */
  readonly firstRow: number
  readonly chunks: readonly ChunkPlace[]
  /** As it stands in the footer. */
  readonly metadata: ThriftStruct
}

// Field ids of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData in the Parquet specification.
const rowGroups = 4
const group = { columns: 1, rows: 3, fileOffset: 5, ordinal: 7 } as const
const chunk = { fileOffset: 2, metadata: 3, offsetIndex: 4, offsetIndexLength: 5, columnIndex: 6, columnIndexLength: 7 } as const
const column = {
  encodings: 2,
  path: 3,
  codec: 4,
  values: 5,
  bytes: 7,
  data: 9,
  index: 10,
  dictionary: 11,
  bloom: 14,
  bloomLength: 15,
} as const
const zstd = 6
const encodings = { plain: 0, rle: 3 } as const

export const groupPlaces = (metadata: ThriftStruct): GroupPlace[] => {
  let firstRow = 0
  return structsAt(metadata, rowGroups).map((entry) => {
    const place = { rows: intAt(entry, group.rows), firstRow, chunks: structsAt(entry, group.columns).map(chunkPlace), metadata: entry }
    firstRow += place.rows
    return place
  })
}

const chunkPlace = (entry: ThriftStruct): ChunkPlace => {
  const metadata = structAt(entry, chunk.metadata)
  const dictionary = optionalIntAt(metadata, column.dictionary) ?? 0
  const data = intAt(metadata, column.data)
  const used = intsAt(metadata, column.encodings)
  return {
    column: textsAt(metadata, column.path)[0] ?? '',
    offset: dictionary > 0 && dictionary < data ? dictionary : data,
    bytes: intAt(metadata, column.bytes),
    values: intAt(metadata, column.values),
    isPlain:
      intAt(metadata, column.codec) === zstd &&
      dictionary === 0 &&
      used.includes(encodings.plain) &&
      used.every((encoding) => encoding === encodings.plain || encoding === encodings.rle),
  }
}

/** The first byte of the pages of a group and the one behind the last; null when they do not lie in one piece. */
export const groupExtent = ({ chunks }: GroupPlace): { start: number; end: number } | null => {
  const start = Math.min(...chunks.map(({ offset }) => offset))
  const end = Math.max(...chunks.map(({ offset, bytes }) => offset + bytes))
  return chunks.reduce((total, { bytes }) => total + bytes, 0) === end - start ? { start, end } : null
}

/** The entry of a group whose pages are put `by` bytes further on. Indexes and filters, which lie elsewhere, are left out. */
export const movedGroup = (entry: ThriftStruct, by: number): ThriftStruct => {
  const columns = structsAt(entry, group.columns).map((one) => {
    const metadata = structAt(one, chunk.metadata)
    const moved = [column.data, column.index, column.dictionary].reduce((value, id) => shifted(value, id, by), metadata ?? emptyStruct)
    const bare = without(moved, [column.bloom, column.bloomLength])
    const rest = without(one, [chunk.offsetIndex, chunk.offsetIndexLength, chunk.columnIndex, chunk.columnIndexLength])
    return shifted(withField(rest, chunk.metadata, bare), chunk.fileOffset, by)
  })
  const list = { kind: 'list', wire: 9, element: 12, items: columns } as const
  return shifted(without(withField(entry, group.columns, list), [group.ordinal]), group.fileOffset, by)
}

const shifted = (struct: ThriftStruct, id: number, by: number): ThriftStruct => {
  const value = optionalIntAt(struct, id)
  // Some writers leave offsets that nobody uses at zero.
  return value === undefined || value === 0 ? struct : withField(struct, id, intValue(value + by, 'i64'))
}

const without = (struct: ThriftStruct, ids: readonly number[]): ThriftStruct =>
  ids.reduce((rest, id) => withField(rest, id, undefined), struct)

const emptyStruct: ThriftStruct = { kind: 'struct', fields: [] }
