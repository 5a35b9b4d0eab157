import type { ExportLayout } from '@nirs-workspace/types'
import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ExportQuery } from './export-query.ts'

const Copied = z.object({ Count: z.number() })

const largestRowGroup = 64e6

/**
 * Rows with arrays: small row groups, two to three times faster to read back and less memory to write; no dictionaries, because DuckDB's
 * join −0 with 0 and all NaN bit patterns. Rows of single samples: the defaults, as the same few names stand in millions of rows.
 */
const pages = (layout: ExportLayout, rowBytes: number): string =>
  layout === 'sample'
    ? 'ROW_GROUP_SIZE 122880'
    : `ROW_GROUP_SIZE ${Math.round(Math.min(2048, Math.max(32, largestRowGroup / Math.max(rowBytes, 1))))}, DICTIONARY_SIZE_LIMIT 0`

/**
 * Writes a Parquet file as nirs4all does (Zstd level 3, format V1, lists of `element`). Returns the number of rows; `rowBytes` is
 * about how many bytes each has. DuckDB does not flush the file: the caller does.
 */
export const writeParquet = async (
  engine: Engine,
  query: ExportQuery,
  layout: ExportLayout,
  path: string,
  metadata: ReadonlyMap<string, string>,
  rowBytes: number,
): Promise<number> => {
  const entries = Array.from(metadata.keys(), (key, index) => `${quotedIdentifier(key)}: $value${index}`)
  const values = Object.fromEntries(Array.from(metadata.values(), (value, index) => [`value${index}`, value]))
  const options = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION V1, ${pages(layout, rowBytes)}, KV_METADATA {${entries.join(', ')}}`
  const { Count } = await engine.one(Copied, `COPY (${query.sql}) TO $path (${options})`, { path, ...values })
  return Count
}
