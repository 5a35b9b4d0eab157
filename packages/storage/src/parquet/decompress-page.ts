import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { crc32, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { readStruct } from './thrift.ts'
import { intAt, structAt } from './thrift-fields.ts'

const decompress = promisify(zstdDecompress)
// Below this a trip to another thread takes longer than the work; in a thread of ours there is one for every core already.
const smallPage = isMainThread ? 256 * 1024 : Number.POSITIVE_INFINITY
// A row group of ours holds 64 MB of values at most, one row of which may be larger; more is not from us.
const largestPage = 2 ** 30

// PageHeader and DataPageHeader of the specification.
const page = { type: 1, plainBytes: 2, bytes: 3, crc: 4, data: 5, values: 1, encoding: 2 } as const

/** The one page of a column of a row group, its CRC compared, decompressed. Throws on anything that does not add up. */
export const decompressPage = async (bytes: Buffer, values: number): Promise<Buffer> => {
  const { struct, length } = readStruct(bytes)
  const header = structAt(struct, page.data)
  const body = bytes.subarray(length)
  const plainBytes = intAt(struct, page.plainBytes)
  if (intAt(struct, page.type) !== 0 || header === undefined || intAt(header, page.encoding) !== 0) throw new Error('another kind of page')
  if (intAt(struct, page.bytes) !== body.length || intAt(header, page.values) !== values) throw new Error('more than one page')
  if (plainBytes < 0 || plainBytes > largestPage) throw new Error(`a page of ${plainBytes} bytes`)
  if (intAt(struct, page.crc) !== (crc32(body) | 0)) throw new Error('its bytes have changed since they were written')
  // With room for one byte more: a buffer that is full to the last byte makes zlib allocate another of the same size.
  const options = { maxOutputLength: Math.max(1, plainBytes), chunkSize: Math.max(64, plainBytes + 1) }
  const plain = plainBytes < smallPage ? zstdDecompressSync(body, options) : await decompress(body, options)
  if (plain.length !== plainBytes) throw new Error('a page is shorter than it says')
  return plain
}
