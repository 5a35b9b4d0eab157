import { readFile } from 'node:fs/promises'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

/** All rows of a Parquet file, read by a reader that shares no code with the product. */
export const readParquet = async (source: string | Uint8Array): Promise<Record<string, unknown>[]> => {
  const bytes = typeof source === 'string' ? await readFile(source) : source
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return parquetReadObjects({ file: file instanceof ArrayBuffer ? file : Uint8Array.from(bytes).buffer, compressors })
}
