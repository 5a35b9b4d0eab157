import { type ColumnBlock, columnOf } from '../parquet/column-block.ts'
import { readLevels } from '../parquet/read-levels.ts'
import type { ArrayFileReader } from './array-file-reader.ts'

/** One number per row of a file, in order: rows of different numbers have different ids. 0 for rows without one. */
export type IdHashes = Uint32Array

const longest = 48

/** Of the length and all bytes; of the first and the last of a long id. Never 0. */
const hashBytes = (bytes: Uint8Array, start: number, length: number): number => {
  let hash = length
  const head = length <= longest ? length : longest / 2
  for (let index = start; index < start + head; index++) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0
  if (length > longest)
    for (let index = start + length - head; index < start + length; index++) hash = (Math.imul(hash, 31) + (bytes[index] ?? 0)) | 0
  hash ^= hash >>> 15
  return Math.imul(hash, 0x2c1b3c6d) >>> 0 || 1
}

export const hashId = (id: string): number => {
  const bytes = Buffer.from(id)
  return hashBytes(bytes, 0, bytes.length)
}

export const hashColumn = ({ values, lengths, valid, rows }: ColumnBlock): IdHashes => {
  const hashes = new Uint32Array(rows)
  let start = 0
  for (let row = 0; row < rows; row++) {
    const length = lengths?.[row] ?? 0
    if (valid[row] === 1) hashes[row] = hashBytes(values, start, length)
    start += length
  }
  return hashes
}

/** Of all rows of a file. Row groups of ours are gone through page by page, without making columns of them. */
export const hashFileIds = async (reader: ArrayFileReader): Promise<IdHashes> => {
  const hashes = new Uint32Array(reader.rows)
  const foreign: number[] = []
  for (const [group, { firstRow, rows }] of reader.file.groups.entries()) {
    if (!reader.isOwn(group)) foreign.push(group)
    else if (!hashPage(await reader.file.readPage(group, 'prediction_id'), hashes.subarray(firstRow, firstRow + rows))) {
      throw reader.file.damaged(group, 'prediction_id', 'a text is longer than its page')
    }
  }
  for await (const { firstRow, block } of reader.blocks(['prediction_id'], foreign))
    hashes.set(hashColumn(columnOf(block, 'prediction_id')), firstRow)
  return hashes
}

/** False when the page does not add up. */
const hashPage = (page: Buffer, into: Uint32Array): boolean => {
  const { levels, next } = readLevels(page, 0, 1, into.length)
  let position = next
  let row = 0
  for (const { level, count } of levels) {
    for (let end = row + count; row < end; row++) {
      if (level === 0) continue
      if (position + 4 > page.length) return false
      const length = page.readUInt32LE(position)
      if (position + 4 + length > page.length) return false
      into[row] = hashBytes(page, position + 4, length)
      position += 4 + length
    }
  }
  return position === page.length
}

const mostRows = 16_000_000

/** Remembers the numbers of the files that were asked for last, four bytes a row. */
export class IdHashCache {
  readonly #files = new Map<string, IdHashes>()

  get(stamp: string): IdHashes | undefined {
    const hashes = this.#files.get(stamp)
    if (hashes === undefined) return undefined
    this.#files.delete(stamp)
    this.#files.set(stamp, hashes)
    return hashes
  }

  set(stamp: string, hashes: IdHashes): void {
    this.#files.set(stamp, hashes)
    let rows = [...this.#files.values()].reduce((total, one) => total + one.length, 0)
    for (const [oldest, one] of this.#files) {
      if (rows <= mostRows) return
      this.#files.delete(oldest)
      rows -= one.length
    }
  }
}
