import { columnChecksum } from './block-checksum.ts'
import type { ColumnBlock } from './column-block.ts'
import { decodePage } from './decode-page.ts'
import { decompressPage } from './decompress-page.ts'
import type { ChunkToRead, GroupToRead } from './group-messages.ts'

// One trip to the disk for pages that lie close to each other: most row groups are small.
const largestRead = 256 * 1024
const largestGap = 16 * 1024

/** Bytes from `start`: `length` of them, fewer only where the file ends. */
export type ReadBytes = (start: number, length: number) => Promise<Buffer>

/** A column that cannot be read, and why. */
export class DamagedColumn extends Error {
  readonly column: string

  constructor(column: string, cause: Error) {
    super(cause.message, { cause })
    this.column = column
  }
}

/**
 * Columns of a row group in the form that encode-row-group.ts writes, in the order asked for. The CRC of every page and the checksum of
 * every column are compared; a column that does not add up is a `DamagedColumn`. Throws the errors of the system.
 */
export const readChunks = async (group: Omit<GroupToRead, 'fd'>, read: ReadBytes): Promise<(ColumnBlock | DamagedColumn)[]> => {
  const bytes = await readTogether(group, read)
  return Promise.all(group.chunks.map((chunk) => readChunk(chunk, group.rows, bytes.get(chunk))))
}

const readChunk = async (chunk: ChunkToRead, rows: number, bytes: Buffer | undefined): Promise<ColumnBlock | DamagedColumn> => {
  try {
    const column = decodePage(chunk.form, await openPage(chunk, bytes), chunk.values, rows)
    if (columnChecksum(column) !== chunk.checksum) throw new Error('its values have changed since they were written')
    return column
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error
    return new DamagedColumn(chunk.form.name, error)
  }
}

/** The decompressed page of a column of a row group, guarded by its CRC alone. Throws when anything does not add up. */
export const readPage = async (chunk: ChunkToRead, end: number, read: ReadBytes): Promise<Buffer> => {
  const bytes = await readTogether({ chunks: [chunk], end }, read)
  return openPage(chunk, bytes.get(chunk))
}

const openPage = (chunk: ChunkToRead, bytes: Buffer | undefined): Promise<Buffer> => {
  if (bytes === undefined) throw new Error('its pages lie outside')
  if (bytes.length !== chunk.bytes) throw new Error('the file ends too early')
  return decompressPage(bytes, chunk.values)
}

/** The bytes of every chunk that lies inside the file. */
const readTogether = async (
  { chunks, end }: Pick<GroupToRead, 'chunks' | 'end'>,
  read: ReadBytes,
): Promise<ReadonlyMap<ChunkToRead, Buffer>> => {
  const found = new Map<ChunkToRead, Buffer>()
  const inside = chunks.filter(({ offset, bytes }) => offset >= 0 && bytes >= 0 && offset + bytes <= end)
  await Promise.all(
    runsOf(inside).map(async (run) => {
      const bytes = await read(run.start, run.end - run.start)
      for (const chunk of run.chunks) found.set(chunk, bytes.subarray(chunk.offset - run.start, chunk.offset - run.start + chunk.bytes))
    }),
  )
  return found
}

interface Run {
  readonly start: number
  end: number
  readonly chunks: ChunkToRead[]
}

const runsOf = (chunks: readonly ChunkToRead[]): Run[] => {
  const runs: Run[] = []
  for (const chunk of chunks.toSorted((a, b) => a.offset - b.offset)) {
    const end = chunk.offset + chunk.bytes
    const last = runs.at(-1)
    if (last !== undefined && chunk.offset - last.end <= largestGap && end - last.start <= largestRead) {
      last.end = Math.max(last.end, end)
      last.chunks.push(chunk)
    } else runs.push({ start: chunk.offset, end, chunks: [chunk] })
  }
  return runs
}
