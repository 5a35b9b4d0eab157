import { crc32 } from 'node:zlib'
import { bytesOf, type ColumnBlock, type RowBlock } from './column-block.ts'

/**
 * CRC-32 over the decoded values of one column of one row group (docs/formats.md): row validity, lengths as unsigned 32-bit, one byte
 * that says whether null elements follow, those, then the elements. Hexadecimal, eight digits.
 */
export const columnChecksum = (column: ColumnBlock): string => {
  let value = crc32(column.valid)
  if (column.lengths !== null) value = crc32(bytesOf(column.lengths), value)
  value = crc32(Uint8Array.of(column.nulls === null ? 0 : 1), value)
  if (column.nulls !== null) value = crc32(column.nulls, value)
  return crc32(column.values, value).toString(16).padStart(8, '0')
}

export const blockChecksums = (block: RowBlock): ReadonlyMap<string, string> =>
  new Map(block.map((column) => [column.name, columnChecksum(column)]))
