import type { StorageMode } from '@nirs-workspace/types'

/** What the state of a workspace follows from. */
export interface StorageFacts {
  readonly kind: 'workspace' | 'portable'
  readonly isSqlite: boolean
  readonly hasTable: boolean
  readonly tableRows: number
  readonly predictions: number
  readonly hasArraysFolder: boolean
  readonly arrayFiles: number
  /** Predictions of a store.sqlite whose arrays are in store.duckdb.bak and nowhere else. */
  readonly lost: number
}

/**
 * | `prediction_arrays` | `arrays/` | state |
 * |---|---|---|
 * | yes | no | legacy |
 * | yes | yes | mid_migration |
 * | no | yes | migrated |
 * | no | no | new; migrated when there are predictions (their arrays are missing, which is a finding) |
 *
 * A store without predictions, without rows in `prediction_arrays` and without array files is new whatever else is there: nothing is in
 * it that a migration could move or that could be lost. With store.sqlite it is sqlite or lost_arrays, without a store portable.
 */
export const storageMode = (facts: StorageFacts): StorageMode => {
  if (facts.kind === 'portable') return 'portable'
  if (facts.isSqlite) return facts.lost > 0 ? 'lost_arrays' : 'sqlite'
  if (facts.predictions === 0 && facts.tableRows === 0 && facts.arrayFiles === 0) return 'new'
  if (facts.hasTable) return facts.hasArraysFolder ? 'mid_migration' : 'legacy'
  return 'migrated'
}
