import { arrayFileName } from '../arrays/file-name.ts'
import { defaultRowGroup } from './stage-file.ts'

/** Rows of a dataset and the bytes of their arrays in memory. */
export interface RowsAndBytes {
  readonly rows: number
  readonly bytes: number
}

// Measured on the files that migrations write. With schema, checksums and summary, which grows until its lists of best rows are full.
const footer = 2100
const footerPerRow = 80
const rowsInSummary = 10
// Page headers of all columns, and what says in the footer where they are.
const groupHeaders = 620
const groupInFooter = 1200
/** Columns that are not arrays, of which only the id and the score hardly compress. */
const scalarsPerRow = 12.5

const groupsOf = (rows: number): number => Math.max(1, Math.ceil(rows / defaultRowGroup))

/** What the arrays alone take in a file of so many rows whose data, without the footer, take `dataBytes`. */
export const arraysIn = (dataBytes: number, rows: number): number =>
  Math.max(0, dataBytes - groupHeaders * groupsOf(rows) - scalarsPerRow * rows)

/**
 * Bytes that each dataset will take in arrays/, when arrays become `ratio` times as large. A file costs something for being one; datasets
 * that share it share its bytes by their rows, as in the report.
 */
export const estimateFiles = (datasets: ReadonlyMap<string, RowsAndBytes>, ratio: number): ReadonlyMap<string, number> => {
  const files = Map.groupBy(datasets, ([name]) => arrayFileName(name))
  return new Map(
    [...files.values()].flatMap((sharing) => {
      const rows = sharing.reduce((sum, [, one]) => sum + one.rows, 0)
      const size = fileBytes({ rows, bytes: sharing.reduce((sum, [, one]) => sum + one.bytes, 0) }, ratio)
      return sharing.map(([name, one]): [string, number] => [name, Math.round((size * one.rows) / Math.max(1, rows))])
    }),
  )
}

const fileBytes = ({ rows, bytes }: RowsAndBytes, ratio: number): number =>
  footer +
  footerPerRow * Math.min(rows, rowsInSummary) +
  groupHeaders * groupsOf(rows) +
  groupInFooter * (groupsOf(rows) - 1) +
  scalarsPerRow * rows +
  ratio * bytes
