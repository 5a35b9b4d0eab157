import { intValue, type ThriftStruct, withField } from './thrift.ts'
import { intAt, optionalIntAt, structAt, structsAt } from './thrift-fields.ts'

/** One column of one row group: where its pages lie. */
export interface ChunkPlace {
  readonly offset: number
  readonly bytes: number
  readonly values: number
}

/** A row group as the footer describes it. */
export interface GroupPlace {
  readonly rows: number
  /** Number of the first row in the file. */
  readonly firstRow: number
  /** As it stands in the footer. */
  readonly metadata: ThriftStruct
}

// Field ids of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData in the Parquet specification.
const rowGroups = 4
const group = { columns: 1, rows: 3, fileOffset: 5, ordinal: 7 } as const
const chunk = { fileOffset: 2, metadata: 3, offsetIndex: 4, offsetIndexLength: 5, columnIndex: 6, columnIndexLength: 7 } as const
const column = { values: 5, bytes: 7, data: 9, index: 10, dictionary: 11, bloom: 14, bloomLength: 15 } as const

export const groupPlaces = (metadata: ThriftStruct): GroupPlace[] => {
  let firstRow = 0
  return structsAt(metadata, rowGroups).map((entry) => {
    const place = { rows: intAt(entry, group.rows), firstRow, metadata: entry }
    firstRow += place.rows
    return place
  })
}

/** The pages of every leaf column, in file order. */
export const chunkPlaces = ({ metadata }: Pick<GroupPlace, 'metadata'>): ChunkPlace[] => structsAt(metadata, group.columns).map(placeOf)

/** All pages of an entry of `columns` of a row group, that of its dictionary included. */
export const placeOf = (entry: ThriftStruct): ChunkPlace => {
  const metadata = structAt(entry, chunk.metadata)
  const dictionary = optionalIntAt(metadata, column.dictionary) ?? 0
  const data = intAt(metadata, column.data)
  return {
    offset: dictionary > 0 && dictionary < data ? dictionary : data,
    bytes: intAt(metadata, column.bytes),
    values: intAt(metadata, column.values),
  }
}

/** The first byte of the pages of a group and the one behind the last; null when they do not lie in one piece. */
export const groupExtent = ({ metadata }: GroupPlace): { start: number; end: number } | null => {
  const chunks = chunkPlaces({ metadata })
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
  ids.some((id) => struct.fields.some((field) => field.id === id))
    ? { kind: 'struct', fields: struct.fields.filter(({ id }) => !ids.includes(id)) }
    : struct

const emptyStruct: ThriftStruct = { kind: 'struct', fields: [] }
