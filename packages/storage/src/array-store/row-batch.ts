import type { RowBlock } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import type { FileSummary } from '../parquet/own-metadata.ts'
import type { ArrayFileReader } from './array-file-reader.ts'
import type { RecordContext } from './array-record.ts'

/** Rows to be put into one file, which can be gone through more than once. */
export interface RowBatch {
  /** The columns that hold anything. */
  readonly forms: readonly ColumnForm[]
  readonly ids: ReadonlySet<string>
  /** Row groups that may be copied as they are, when all their rows are wanted. */
  readonly reader: ArrayFileReader | null
  /** Of all rows of the batch together, when somebody has made it. */
  readonly summary: FileSummary | null
  /** Refits that `contextOf` does not tell. */
  readonly refits: FileSummary['refits']
  /** Every prediction once, with all columns of `forms`. */
  readonly blocks: () => AsyncIterable<BatchBlock>
}

export interface BatchBlock {
  readonly block: RowBlock
  /** Row numbers in `block` that belong to the batch. */
  readonly rows: readonly number[]
  /** The row group of `reader` that this block is, whole. */
  readonly group: number | null
  /** What the metadata knows of a row. */
  readonly contextOf: (row: number) => RecordContext | undefined
}
