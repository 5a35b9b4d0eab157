import { read } from 'node:fs'
import { promisify } from 'node:util'
import { columnChecksum } from './block-checksum.ts'
import type { ColumnBlock, RowBlock } from './column-block.ts'
import type { ColumnForm } from './column-form.ts'
import { decodeChunk } from './decode-chunk.ts'
import { RowGroupEncoder } from './encode-row-group.ts'
import { type ChunkToRead, type EncodedRows, encodedAt, type GroupAnswer, type GroupRequest, type GroupToRead } from './group-messages.ts'
import { takeRows } from './take-rows.ts'
import { writeStruct } from './thrift.ts'

const readBytes = promisify(read)

/** What is done with one row group: here or in a thread. One at a time for each. */
export class GroupWork {
  #forms = ''
  #encoder = new RowGroupEncoder([])

  async answer(request: GroupRequest): Promise<GroupAnswer> {
    try {
      if (request.kind === 'check') return { kind: 'checked', reasons: await reasonsOf(request.group) }
      const block = await readGroup(request.group)
      const taken = request.rows.length === request.group.rows ? block : takeRows(block, Array.from(request.rows))
      if (request.kind === 'take') return { kind: 'taken', block: taken }
      return { kind: 'encoded', encoded: await this.#encode(taken, request.forms) }
    } catch (error) {
      return answerTo(error)
    }
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

class DamagedColumn extends Error {
  readonly column: string

  constructor(column: string, reason: string) {
    super(reason)
    this.column = column
  }
}

const readGroup = (group: GroupToRead): Promise<ColumnBlock[]> => Promise.all(group.chunks.map((chunk) => readColumn(group, chunk)))

const readColumn = async (group: GroupToRead, chunk: ChunkToRead): Promise<ColumnBlock> => {
  try {
    const column = await decodeChunk(chunk.form, await bytesAt(group, chunk), chunk.values, group.rows)
    if (columnChecksum(column) !== chunk.checksum) throw new Error('its values have changed since they were written')
    return column
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error
    throw new DamagedColumn(chunk.form.name, error.message)
  }
}

const bytesAt = async ({ fd, end }: GroupToRead, { offset, bytes }: ChunkToRead): Promise<Buffer> => {
  if (offset < 0 || bytes < 0 || offset + bytes > end) throw new Error('its pages lie outside')
  const buffer = Buffer.allocUnsafe(bytes)
  const { bytesRead } = await readBytes(fd, buffer, 0, bytes, offset)
  if (bytesRead !== bytes) throw new Error('the file ends too early')
  return buffer
}

const reasonsOf = async (group: GroupToRead): Promise<(string | null)[]> => {
  const results = await Promise.allSettled(group.chunks.map((chunk) => readColumn(group, chunk)))
  return results.map((result) => {
    if (result.status === 'fulfilled') return null
    if (result.reason instanceof DamagedColumn) return result.reason.message
    throw result.reason
  })
}

const answerTo = (error: unknown): GroupAnswer => {
  if (error instanceof DamagedColumn) return { kind: 'damaged', column: error.column, reason: error.message }
  const text = (name: string): string | undefined => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error), code: text('code'), syscall: text('syscall') }
}
