import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ExportQuery } from './export-query.ts'

const Copied = z.object({ Count: z.number() })

/**
 * Writes a Parquet file as nirs4all does (Zstd level 3, format V1, lists of `element`), with small row groups: two to three times faster
 * to read back, and less memory to write. No dictionaries: DuckDB's join −0 with 0 and all NaN bit patterns. Returns the number of rows.
 * DuckDB does not flush the file: the caller does.
 */
export const writeParquet = async (
  engine: Engine,
  query: ExportQuery,
  path: string,
  metadata: ReadonlyMap<string, string>,
): Promise<number> => {
  const entries = Array.from(metadata.keys(), (key, index) => `${quotedIdentifier(key)}: $value${index}`)
  const values = Object.fromEntries(Array.from(metadata.values(), (value, index) => [`value${index}`, value]))
  const options = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 2048, PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 0, KV_METADATA {${entries.join(', ')}}`
  const { Count } = await engine.one(Copied, `COPY (${query.sql}) TO $path (${options})`, { path, ...values })
  return Count
}
