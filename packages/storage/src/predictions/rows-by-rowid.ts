import type { PredictionRow } from '@nirs-workspace/types'
import { type CatalogReader, PREDICTIONS, type QueryOptions, readRows } from './catalog-reader.ts'
import { afterPredictionColumns, predictionColumns, readPredictionRow } from './row-sql.ts'
import { readNumber } from './value-reader.ts'

/**
 * Rows of these row ids, in this order. A list of ids costs one pass over the columns (about 40 ms at a million rows); the range around
 * it lets DuckDB skip the blocks outside, which makes neighbours cheap (3 ms).
 */
export const rowsByRowid = async (catalog: CatalogReader, rowids: Int32Array, options: QueryOptions = {}): Promise<PredictionRow[]> => {
  if (rowids.length === 0) return []
  const sorted = rowids.toSorted()
  const sql = `SELECT ${predictionColumns}, rowid FROM ${PREDICTIONS}
    WHERE rowid BETWEEN ${sorted[0]} AND ${sorted.at(-1)} AND rowid IN (${sorted.join(', ')})`
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
