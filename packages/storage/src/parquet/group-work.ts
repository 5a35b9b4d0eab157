import { read } from 'node:fs'
import { promisify } from 'node:util'
import { columnChecksum } from './block-checksum.ts'
import type { ColumnBlock, RowBlock } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'
import { PageBuffer } from './encode-page.ts'
import { RowGroupEncoder } from './encode-row-group.ts'
import { type EncodedRows, encodedAt, type GroupAnswer, type GroupRequest, type GroupToRead } from './group-messages.ts'
import { DamagedColumn, type ReadBytes, readChunks } from './read-chunks.ts'
import { takeRows } from './take-rows.ts'
import { writeStruct } from './thrift.ts'

const readBytes = promisify(read)
// A damaged footer may tell of pages of any size.
const largestBuffer = 128 * 1024 * 1024

/** What is done with one row group: here or in a thread. One at a time for each. */
export class GroupWork {
  #forms = ''
  #read = new ReadBuffer()
  readonly #buffers: PageBuffer[] = []
  #encoder = new RowGroupEncoder([])

  async answer(request: GroupRequest): Promise<GroupAnswer> {
    try {
      const read = this.#read.readerOf(request.group)
      if (request.kind === 'check') return { kind: 'checked', reasons: await reasonsOf(request.group, read) }
      const block = await readGroup(request.group, read)
      const taken = request.rows.length === request.group.rows ? block : this.#take(block, request)
      if (request.kind === 'take') return { kind: 'taken', block: taken }
      return { kind: 'encoded', encoded: await this.#encode(taken, request.forms) }
    } catch (error) {
      // Another read of this request may not have ended: it keeps its memory.
      this.#read = new ReadBuffer()
      return answerTo(error)
    }
  }

  /** Rows that are encoded at once need no memory of their own. */
  #take(block: RowBlock, { kind, rows }: GroupRequest & { readonly rows: Uint32Array }): RowBlock {
    if (kind === 'take') return takeRows(block, Array.from(rows))
    while (this.#buffers.length < block.length) this.#buffers.push(new PageBuffer())
    return takeRows(block, Array.from(rows), this.#buffers)
  }

  async #encode(block: RowBlock, forms: readonly ColumnForm[]): Promise<EncodedRows> {
    const checksums = new Map(block.map((column) => [column.name, columnChecksum(column)]))
    const { pieces, rows, metadataAt } = await this.#encoderFor(forms).encode(block)
    return { pieces, rows, metadata: writeStruct(metadataAt(encodedAt)), checksums }
  }

  #encoderFor(forms: readonly ColumnForm[]): RowGroupEncoder {
    const wanted = JSON.stringify(forms)
    if (wanted !== this.#forms) this.#encoder = new RowGroupEncoder(forms)
    this.#forms = wanted
    return this.#encoder
  }
}

/** Memory for the compressed bytes of one row group at a time, used again for the next. */
class ReadBuffer {
  #bytes = Buffer.alloc(0)

  /** What it reads is good until the next reader is made. */
  readerOf({ fd, chunks }: GroupToRead): ReadBytes {
    const wanted = chunks.reduce((total, { bytes }) => total + Math.max(0, bytes), 0)
    if (this.#bytes.length < wanted && wanted <= largestBuffer) this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(wanted * 1.25))
    let used = 0
    return async (start, length) => {
      const isRoom = used + length <= this.#bytes.length
      const room = isRoom ? this.#bytes.subarray(used, used + length) : Buffer.allocUnsafe(length)
      if (isRoom) used += length
      const { bytesRead } = await readBytes(fd, room, 0, length, start)
      return room.subarray(0, bytesRead)
    }
  }
}

const readGroup = async (group: GroupToRead, read: ReadBytes): Promise<ColumnBlock[]> => {
  const columns = await readChunks(group, read)
  return columns.map((column) => {
    if (column instanceof DamagedColumn) throw column
    return column
  })
}

const reasonsOf = async (group: GroupToRead, read: ReadBytes): Promise<(string | null)[]> => {
  const columns = await readChunks(group, read)
  return columns.map((column) => (column instanceof DamagedColumn ? column.message : null))
}

const answerTo = (error: unknown): GroupAnswer => {
  if (error instanceof DamagedColumn) return { kind: 'damaged', column: error.column, reason: error.message }
  const text = (name: string): string | undefined => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error), code: text('code'), syscall: text('syscall') }
}
