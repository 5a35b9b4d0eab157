import { completed } from '../array-store/append-rows.ts'
import type { SummaryBuilder } from '../array-store/summary-builder.ts'
import { summaryRows } from '../array-store/summary-builder.ts'
import type { RowSource } from '../migration/row-source.ts'
import { defaultRowGroup } from '../migration/stage-file.ts'
import type { ArrayFileWriter } from '../parquet/array-file-writer.ts'
import { columnOf, type RowBlock, rowsOf, textsOf } from '../parquet/column-block.ts'
import type { ColumnForm } from '../parquet/column-form.ts'
import { completeFile } from '../parquet/complete-file.ts'

/** What a query over rows to be written gives besides the columns of the file: what only the metadata knows of them. */
export const contextColumns = ['about_branch', 'about_refit', 'about_created'] as const

/** Bytes of values after which a row group ends early. */
const largestRowGroup = 64e6

/**
 * Adds the rows of a source to a file that is being written, finishes it with its summary, and reads back and compares what was added. The
 * number of rows. On failure the file is taken away.
 */
export const writeRows = async (
  writer: ArrayFileWriter,
  forms: readonly ColumnForm[],
  summary: SummaryBuilder,
  source: RowSource,
  signal: AbortSignal | undefined,
): Promise<number> => {
  let rows = 0
  try {
    for (;;) {
      signal?.throwIfAborted()
      const block = await source.takeAbout(defaultRowGroup, largestRowGroup)
      if (rowsOf(block) === 0) break
      summarise(summary, block)
      await writer.writeBlock(completed(block, forms))
      rows += rowsOf(block)
    }
    await completeFile(writer, summary.result())
    return rows
  } catch (error) {
    await writer.abandon()
    throw error
  } finally {
    await source.close()
  }
}

const summarise = (summary: SummaryBuilder, block: RowBlock): void => {
  const [branches, refits, times] = contextColumns.map((name) => textsOf(columnOf(block, name)))
  const all = Array.from({ length: rowsOf(block) }, (_, row) => row)
  summaryRows(block, all).forEach((row, index) => {
    summary.add(row, { branch_name: branches?.[index] ?? null, refit_context: refits?.[index] ?? null, created_at: times?.[index] ?? null })
  })
}
