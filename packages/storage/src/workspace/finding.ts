import type { Finding } from '@nirs-workspace/types'

/** What an inspection may report; nothing else. */
export type InspectionCode =
  | 'rows_without_metadata'
  | 'duplicate_natural_keys'
  | 'predictions_without_arrays'
  | 'orphan_arrays'
  | 'duplicate_array_rows'
  | 'stale_parquet_rows'
  | 'shared_file_name'
  | 'tombstones'
  | 'tombstones_corrupt'
  | 'corrupt_array_file'
  | 'missing_array_file'
  | 'backup_unreadable'
  | 'write_ahead_log'
  | 'log_unreadable'
  | 'log_cut_short'
  | 'interrupted_job'
  | 'missing_artifact_files'
  | 'missing_artifact_rows'
  | 'missing_parents'
  | 'unreferenced_artifact_files'
  | 'running_runs'
  | 'newer_schema'

export type InspectionFinding = Finding & { code: InspectionCode }
