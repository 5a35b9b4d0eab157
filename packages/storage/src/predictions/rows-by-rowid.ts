import type { PredictionRow } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { afterPredictionColumns, predictionColumns, readPredictionRow } from './row-sql.ts'
import { readNumber } from './value-reader.ts'

/** Rows of these row ids, in this order. */
export const rowsByRowid = async (catalog: CatalogReader, rowids: Int32Array, options: QueryOptions = {}): Promise<PredictionRow[]> => {
  if (rowids.length === 0) return []
  // Sorted, not streamed as found: a chunk with one row in it, from each block that has one, costs more than the sort.
  const sql = `SELECT ${predictionColumns}, rowid FROM ${PREDICTIONS} WHERE ${rowidCondition(rowids.toSorted())} ORDER BY rowid`
  const found = await readRows(
    catalog,
    { sql, parameters: {} },
    (value) => [readNumber(value(afterPredictionColumns)), readPredictionRow(value)] as const,
    options,
  )
  const byRowid = new Map(found)
  return Array.from(rowids, (rowid) => {
    const row = byRowid.get(rowid)
    if (row === undefined) throw new Error(`Row ${rowid} is not in the catalog`)
    return row
  })
}

/** From here on DuckDB's own way with a list, a hash join over all columns, is the faster one. */
const MANY = 400

/**
 * DuckDB turns `rowid IN (…)` into a join that reads every column of every row. A range and a search tree are conditions that the scan
 * itself checks: it leaves out blocks outside the range and reads the other columns only where a row passes. Half the work for 100 rows
 * out of a million, a tenth for neighbours.
 */
const rowidCondition = (sorted: Int32Array): string => {
  const range = `rowid BETWEEN ${sorted[0]} AND ${sorted.at(-1)}`
  return `${range} AND ${sorted.length > MANY ? `rowid IN (${sorted.join(', ')})` : searchTree(sorted)}`
}

const searchTree = (sorted: Int32Array): string => {
  if (sorted.length <= 4) return `(${Array.from(sorted, (rowid) => `rowid = ${rowid}`).join(' OR ')})`
  const middle = sorted.length >> 1
  return `CASE WHEN rowid < ${sorted[middle]} THEN ${searchTree(sorted.subarray(0, middle))} ELSE ${searchTree(sorted.subarray(middle))} END`
}
