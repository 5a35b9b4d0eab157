import { createHash, hash } from 'node:crypto'
import { type ColumnBlock, columnOf, offsetsOf, type RowBlock, textAt } from './column-block.ts'
import type { DatasetFigures } from './reader-messages.ts'

/** The columns that count: the dense arrays of a prediction. */
export const digestedColumns = ['y_true', 'y_pred', 'y_proba', 'sample_indices', 'weights'] as const
export const digestBytes = 32

/**
 * SHA-256 of every row (its id and its arrays, every bit of them) and, per dataset, of those in ascending order: the same whatever the
 * order of the rows (docs/formats.md).
 */
export class ArraysDigest {
  readonly #datasets = new Map<string, { rows: string[]; values: number }>()
  readonly #skipped: ReadonlySet<string>
  #scratch = Buffer.alloc(0)

  /** `skipped`: ids that no metadata knows; their rows have a digest but do not count for a dataset. */
  constructor(skipped: ReadonlySet<string> = new Set()) {
    this.#skipped = skipped
  }

  /** The digests of the rows of this block, 32 bytes each. */
  add(block: RowBlock): Uint8Array {
    const rows: Rows = {
      ids: withOffsets(columnOf(block, 'prediction_id')),
      columns: digestedColumns.map((name) => withOffsets(columnOf(block, name))),
    }
    const datasets = withOffsets(columnOf(block, 'dataset_name'))
    const digests = Buffer.allocUnsafe(rows.ids.column.rows * digestBytes)
    for (let row = 0; row < rows.ids.column.rows; row++) {
      // As text with one character per byte: a buffer for each would keep the garbage collector busy.
      const digest = hash('sha256', this.#pack(rows, row), 'binary')
      digests.write(digest, row * digestBytes, 'latin1')
      if (this.#skipped.size > 0 && this.#skipped.has(textAt(rows.ids.column, rows.ids.offsets, row) ?? '')) continue
      const dataset = this.#datasetOf(textAt(datasets.column, datasets.offsets, row) ?? '')
      dataset.rows.push(digest)
      for (const { column } of rows.columns) dataset.values += column.lengths?.[row] ?? 0
    }
    return digests
  }

  results(): Map<string, DatasetFigures> {
    return new Map(
      [...this.#datasets].map(([name, { rows, values }]) => [name, { sha256: sha256OfSorted(rows), rows: rows.length, values }]),
    )
  }

  #datasetOf(name: string): { rows: string[]; values: number } {
    const known = this.#datasets.get(name)
    if (known !== undefined) return known
    const dataset = { rows: [], values: 0 }
    this.#datasets.set(name, dataset)
    return dataset
  }

  #pack(rows: Rows, row: number): Buffer {
    const bytes = rows.columns.reduce((total, list) => total + listBytes(list, row), listBytes(rows.ids, row))
    if (this.#scratch.length < bytes) this.#scratch = Buffer.allocUnsafeSlow(bytes * 2)
    let position = packList(this.#scratch, 0, rows.ids, row)
    for (const list of rows.columns) position = packList(this.#scratch, position, list, row)
    return this.#scratch.subarray(0, position)
  }
}

const sha256OfSorted = (rows: readonly string[]): string => {
  const all = createHash('sha256')
  for (const digest of rows.toSorted()) all.update(digest, 'latin1')
  return all.digest('hex')
}

interface List {
  readonly column: ColumnBlock
  readonly offsets: Uint32Array
}
interface Rows {
  readonly ids: List
  readonly columns: readonly List[]
}

const withOffsets = (column: ColumnBlock): List => ({ column, offsets: offsetsOf(column) })

const absent = 0
const present = 1
const withNulls = 2

const listBytes = ({ column, offsets }: List, row: number): number =>
  5 + ((offsets[row + 1] ?? 0) - (offsets[row] ?? 0)) * (column.width + (column.nulls === null ? 0 : 1))

/** One byte (0 null, 1 elements, 2 elements of which some are null), then the number of elements, for 2 a byte per element, the elements. */
const packList = (buffer: Buffer, position: number, { column, offsets }: List, row: number): number => {
  if (column.valid[row] !== 1) {
    buffer[position] = absent
    return position + 1
  }
  const start = offsets[row] ?? 0
  const end = offsets[row + 1] ?? start
  const nulls = column.nulls?.subarray(start, end)
  const holdsNulls = nulls?.includes(1) === true
  buffer[position] = holdsNulls ? withNulls : present
  buffer.writeUInt32LE(end - start, position + 1)
  let next = position + 5
  if (holdsNulls) {
    buffer.set(nulls, next)
    next += nulls.length
  }
  const bytes = column.values.subarray(start * column.width, end * column.width)
  buffer.set(bytes, next)
  return next + bytes.length
}
