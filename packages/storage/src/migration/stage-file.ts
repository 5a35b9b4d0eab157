import { quotedString } from '../engine/attach-store.ts'
import { interruptible, type Lane } from '../engine/engine-lane.ts'
import { faultPoint } from '../files/fault-point.ts'
import type { StagedFile } from './staged-file.ts'

/** Rows per row group: small ones are written and read in parallel, and one prediction is found without decoding much. */
export const defaultRowGroup = 2048

/**
 * Writes one Parquet file. Without dictionaries: DuckDB's merge −0 with 0 and all NaN bit patterns into one, and Zstd finds the repeats
 * anyway. Format V1: the V2 integers are not readable everywhere.
 */
export const stageFile = async (lane: Lane, file: StagedFile, rowGroup: number, signal: AbortSignal | undefined): Promise<void> => {
  await faultPoint({ kind: 'engine-write', path: file.path })
  await interruptible(lane, signal, () =>
    lane.run(`COPY (${file.sql}) TO ${quotedString(file.path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3,
      ROW_GROUP_SIZE ${rowGroup}, PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 0)`),
  )
  await faultPoint({ kind: 'engine-write', path: file.path })
}
