import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Lane } from '../engine/engine-lane.ts'

export interface TableDigest {
  rows: number
  sha256: string
}

/**
 * Rows and SHA-256 of a table's content, whatever the order of its rows: of every row the MD5 of its columns as length-prefixed text, then
 * the SHA-256 of those, sorted. Text keeps NaN, the sign of zero and every digit apart, which SQL's `=` does not. What accident changes is
 * found by either hash; DuckDB's SHA-256 of every row took as long as copying the table.
 */
export const tableDigest = (lane: Lane, table: string, columns: readonly string[]): Promise<TableDigest> => {
  const parts = columns.flatMap((column) => lengthAndText(`${quotedIdentifier(column)}::VARCHAR`))
  return lane.one(
    TableRow,
    `SELECT count(*) AS rows, sha256(coalesce(string_agg(row_hash, '' ORDER BY row_hash), '')) AS sha256
     FROM (SELECT md5(concat(${parts.join(', ')})) AS row_hash FROM ${table})`,
  )
}

/** `concat` leaves nulls out: joined by it alone, a long text is copied once. */
const lengthAndText = (text: string) => [`coalesce(strlen(${text})::VARCHAR || ':', 'null')`, text]

const TableRow = z.object({ rows: z.number(), sha256: z.string() })
