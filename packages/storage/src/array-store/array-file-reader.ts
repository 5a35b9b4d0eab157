import { fstatSync } from 'node:fs'
import { join } from 'node:path'
import { damaged, parquetRelation } from '../arrays/parquet-file.ts'
import { type PinnedFile, pinFile } from '../arrays/pin-file.ts'
import { requireDecodable } from '../arrays/require-decodable.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { openLane } from '../engine/engine-lane.ts'
import { readBlocks } from '../engine/read-blocks.ts'
import { arrayFileColumns, isArrayFileColumn } from '../migration/array-columns.ts'
import { columnOf, type RowBlock, rowsOf } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { GroupFile } from '../parquet/group-file.ts'
import { damagedFile } from './damaged-file.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { hashFileIds, IdHashCache, type IdHashes } from './id-hashes.ts'
import type { LazyEngine } from './lazy-engine.ts'

/** Consecutive rows and where in the file they begin. */
export interface PlacedBlock {
  readonly firstRow: number
  readonly block: RowBlock
  /** Known when the block is exactly one row group. */
  readonly group: number | null
}

/**
 * One array file, open for reading: what happens to its name meanwhile changes nothing. Row groups that this program wrote are decoded
 * and checked here; those of other programs by DuckDB, with the known columns cast to their types.
 */
export class ArrayFileReader {
  readonly name: string
  readonly file: GroupFile
  /** The columns that can be read, in file order, as they are given out. */
  readonly forms: readonly ColumnForm[]
  /** Columns of types that array files do not have: nobody may rewrite this file without losing them. */
  readonly uncarried: readonly string[]
  /** Whether row groups can be added as they are: every column has the form in which this program writes it. */
  readonly canGrow: boolean
  /** What the file is, as opposed to what has its name by now. */
  readonly stamp: FileStamp
  readonly #pinned: PinnedFile
  readonly #engine: LazyEngine
  readonly #hashes: IdHashCache

  private constructor(name: string, stamp: FileStamp, pinned: PinnedFile, file: GroupFile, engine: LazyEngine, hashes: IdHashCache) {
    this.name = name
    this.stamp = stamp
    this.#hashes = hashes
    this.file = file
    this.#pinned = pinned
    this.#engine = engine
    this.forms = file.columns.flatMap(({ name: column, form }) =>
      isArrayFileColumn(column) ? [{ name: column, type: arrayFileColumns[column] }] : form === null ? [] : [form],
    )
    this.canGrow = file.columns.every(
      ({ name: column, form, isOurs }) => isOurs && (!isArrayFileColumn(column) || form?.type === arrayFileColumns[column]),
    )
    this.uncarried = file.columns.filter(({ name: column, form }) => form === null && !isArrayFileColumn(column)).map((one) => one.name)
  }

  /** `path` is relative to `root`. Fails with `arrays_missing` or `arrays_corrupt`. */
  static async open(root: string, path: string, engine: LazyEngine, hashes = new IdHashCache()): Promise<ArrayFileReader> {
    const pinned = await pinFile(root, path)
    const file = await GroupFile.from(pinned.handle, join(root, path), path)
    const stamp = stampOf(fstatSync(pinned.handle.fd, { bigint: true }))
    const reader = new ArrayFileReader(path, stamp, pinned, file, engine, hashes)
    const missing = ['prediction_id', 'dataset_name'].filter((column) => !reader.forms.some((form) => form.name === column))
    if (missing.length === 0) return reader
    await reader.close()
    throw damagedFile(path, `it has no column ${missing.join(', ')}`)
  }

  get rows(): number {
    return this.file.rows
  }

  /** Whether a row group is one that this program wrote and decodes itself. */
  isOwn(group: number): boolean {
    return this.canGrow && this.file.isOwn(group)
  }

  async idHashes(): Promise<IdHashes> {
    const cached = this.#hashes.get(this.stamp)
    if (cached !== undefined) return cached
    const hashes = await hashFileIds(this)
    this.#hashes.set(this.stamp, hashes)
    return hashes
  }

  /** These columns of these row groups (default: all of both), in order. Columns that the file lacks are left out. */
  async *blocks(
    names: readonly string[] = this.forms.map(({ name }) => name),
    groups: readonly number[] = this.file.groups.map((_, group) => group),
  ): AsyncGenerator<PlacedBlock> {
    for (const run of this.#runs(groups)) {
      if (run.isOwn) yield* this.#ownBlocks(names, run.groups)
      else yield* this.#foreignBlocks(names, run.groups)
    }
  }

  /** Before rows are copied: `arrays_corrupt` unless a second reader can decode what other programs wrote of these row groups. */
  async requireDecodable(options: { groups?: Iterable<number>; signal?: AbortSignal | undefined } = {}): Promise<void> {
    const isOwn = (group: number) => this.isOwn(group)
    const { groups } = this.file
    await requireDecodable({ groups, isOwn, valueBytes: (group) => this.file.valueBytes(group) }, this.#pinned.readPath, this.name, options)
  }

  /** The row group of a row. */
  groupOf(row: number): number {
    const { groups } = this.file
    let low = 0
    for (let high = groups.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if ((groups[middle]?.firstRow ?? 0) <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  async close(): Promise<void> {
    await this.#pinned.close()
  }

  /** For a file that has been replaced: giving back the pages of a large one takes a while, and nobody needs to wait for it. */
  closeLater(): void {
    this.close().catch(() => undefined)
  }

  #runs(groups: readonly number[]): { isOwn: boolean; groups: number[] }[] {
    const runs: { isOwn: boolean; groups: number[] }[] = []
    for (const group of groups) {
      const isOwn = this.isOwn(group)
      const last = runs.at(-1)
      if (last?.isOwn === isOwn && (isOwn || last.groups.at(-1) === group - 1)) last.groups.push(group)
      else runs.push({ isOwn, groups: [group] })
    }
    return runs
  }

  async *#ownBlocks(names: readonly string[], groups: readonly number[]): AsyncGenerator<PlacedBlock> {
    const read = (group: number | undefined) => {
      const block = group === undefined ? undefined : this.file.readGroup(group, names)
      // Asked for ahead of its use: should the reader stop first, its failure still needs a listener.
      block?.catch(() => undefined)
      return block
    }
    let next = read(groups[0])
    for (const [index, group] of groups.entries()) {
      const block = await next
      next = read(groups[index + 1])
      if (block !== undefined) yield { firstRow: this.file.groups[group]?.firstRow ?? 0, block, group }
    }
  }

  async *#foreignBlocks(names: readonly string[], groups: readonly number[]): AsyncGenerator<PlacedBlock> {
    const [first, last] = [this.file.groups[groups[0] ?? 0], this.file.groups[groups.at(-1) ?? 0]]
    if (first === undefined || last === undefined) return
    const wanted = this.forms.filter(({ name }) => names.includes(name))
    const columns = wanted.map(({ name, type }) => `${quotedIdentifier(name)}::${type} AS ${quotedIdentifier(name)}`)
    const sql = `SELECT ${[...columns, 'file_row_number::DOUBLE AS file_row_number'].join(', ')} FROM ${parquetRelation(this.#pinned)}
      WHERE file_row_number >= ${first.firstRow} AND file_row_number < ${last.firstRow + last.rows}`
    const lane = await openLane(await this.#engine.get())
    let firstRow = first.firstRow
    let isRead = false
    try {
      for await (const found of readBlocks(lane, sql)) {
        if (firstNumber(found) !== firstRow) throw new Error('its rows come in another order')
        yield { firstRow, block: found.slice(0, -1), group: null }
        firstRow += rowsOf(found)
      }
      if (firstRow !== last.firstRow + last.rows) throw new Error('it has fewer rows than its footer says')
      isRead = true
    } catch (error) {
      throw damaged(this.name, error)
    } finally {
      if (isRead) lane.release()
      else lane.close()
    }
  }
}

const firstNumber = (block: RowBlock): number => {
  const { values } = columnOf(block, 'file_row_number')
  return new DataView(values.buffer, values.byteOffset, values.byteLength).getFloat64(0, true)
}
