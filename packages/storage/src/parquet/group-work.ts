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

/** What is done with one row group: here or in a thread. One at a time for each. */
export class GroupWork {
  #forms = ''
  readonly #buffers: PageBuffer[] = []
  #encoder = new RowGroupEncoder([])

  async answer(request: GroupRequest): Promise<GroupAnswer> {
    try {
      if (request.kind === 'check') return { kind: 'checked', reasons: await reasonsOf(request.group) }
      const block = await readGroup(request.group)
      const taken = request.rows.length === request.group.rows ? block : this.#take(block, request)
      if (request.kind === 'take') return { kind: 'taken', block: taken }
      return { kind: 'encoded', encoded: await this.#encode(taken, request.forms) }
    } catch (error) {
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

const readGroup = async (group: GroupToRead): Promise<ColumnBlock[]> => {
  const columns = await readChunks(group, readerOf(group))
  return columns.map((column) => {
    if (column instanceof DamagedColumn) throw column
    return column
  })
}

const reasonsOf = async (group: GroupToRead): Promise<(string | null)[]> => {
  const columns = await readChunks(group, readerOf(group))
  return columns.map((column) => (column instanceof DamagedColumn ? column.message : null))
}

const readerOf =
  ({ fd }: GroupToRead): ReadBytes =>
  async (start, length) => {
    const { buffer, bytesRead } = await readBytes(fd, Buffer.allocUnsafe(length), 0, length, start)
    return buffer.subarray(0, bytesRead)
  }

const answerTo = (error: unknown): GroupAnswer => {
  if (error instanceof DamagedColumn) return { kind: 'damaged', column: error.column, reason: error.message }
  const text = (name: string): string | undefined => {
    const value: unknown = error instanceof Error ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error), code: text('code'), syscall: text('syscall') }
}
