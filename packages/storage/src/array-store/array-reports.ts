import type { FileSummary } from '../parquet/own-metadata.ts'

/** Which of these ids the metadata knows. Asked in batches. */
export type KnownIds = (ids: readonly string[]) => Promise<ReadonlySet<string>>

export interface ArrayProgress {
  /** Relative to the workspace. */
  readonly file: string
  readonly rows: number
  readonly total_rows: number
}

export interface CompactOptions {
  /** Without it the list of removed predictions is believed; with it a row that the metadata knows stays, whatever that list says. */
  readonly isKnown?: KnownIds | undefined
  /** Files (`arrays/…`) that are left as they are. */
  readonly isLeft?: ((file: string) => boolean) | undefined
  readonly onProgress?: ((progress: ArrayProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CompactedFile {
  readonly file: string
  readonly datasets: readonly string[]
  readonly rows_before: number
  readonly rows_after: number
  readonly bytes_before: number
  readonly bytes_after: number
  readonly tombstoned_removed: number
  readonly duplicates_removed: number
}

export interface CorruptFile {
  readonly file: string
  readonly reason: string
}

export interface CompactReport {
  /** Every file that could be read, changed or not. */
  readonly files: readonly CompactedFile[]
  /** Files that were left as they are: damaged, or with columns that this release cannot write. */
  readonly corrupt: readonly CorruptFile[]
  readonly rows_removed: number
  readonly bytes_freed: number
  /** Removals that no row waits for any more, or that the metadata contradicts. */
  readonly tombstones_cleared: number
}

export interface ArrayFileStats {
  readonly file: string
  readonly rows: number
  readonly bytes: number
  readonly datasets: readonly { readonly name: string; readonly rows: number }[]
}

export interface ArrayStats {
  readonly total_files: number
  readonly total_rows: number
  readonly total_bytes: number
  /** Bytes of a file that holds several datasets are shared out by rows. */
  readonly datasets: readonly { readonly name: string; readonly rows: number; readonly bytes: number; readonly files: readonly string[] }[]
  readonly files: readonly ArrayFileStats[]
  /** Removed predictions that wait for compaction; null when the list is damaged. */
  readonly tombstones: number | null
  /** Files that cannot be read; their bytes count, their rows do not. */
  readonly unreadable: readonly string[]
}

export interface IntegrityOptions {
  /** Predictions that should have arrays. Without it neither orphans nor missing ones can be told. */
  readonly expectedIds?: ReadonlySet<string> | undefined
  /**
   * Decode every value, compare the checksums, look for shapes of y_proba with negative numbers. Lengths are compared by `verifyWorkspace`
   * only. Default: footers, columns and ids only.
   */
  readonly deep?: boolean | undefined
  readonly onProgress?: ((progress: ArrayProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Damage in one file, as close as it can be told. */
export interface CorruptArrays {
  readonly file: string
  /** Empty when the file does not even tell that. */
  readonly datasets: readonly string[]
  /** Null: the file as a whole. */
  readonly row_group: number | null
  readonly columns: readonly string[]
  /** Predictions of the damaged row group, as far as they can still be read; of a shape that cannot be, those that have it. */
  readonly prediction_ids: readonly string[]
  readonly reason: string
}

export interface IntegrityReport {
  readonly files: number
  readonly rows: number
  /** Rows that are neither expected nor removed. Null without `expectedIds`. */
  readonly orphan_ids: readonly string[] | null
  /** Expected, in no readable file, and not removed. Null without `expectedIds`. */
  readonly missing_ids: readonly string[] | null
  /** In more than one row of a file; the last one counts. */
  readonly duplicate_ids: readonly string[]
  readonly corrupt: readonly CorruptArrays[]
  readonly tombstones_corrupt: boolean
}

/** The summary of one file as its footer has it; null when there is none, or none that can be believed. */
export interface SummaryOfFile {
  readonly file: string
  readonly bytes: number
  readonly rows: number
  readonly summary: FileSummary | null
}
