import { isStorageError } from '../errors.ts'

/** Why store.duckdb.bak cannot be read, when that is what `error` says; whatever else went wrong (a lock, a bug) is thrown again. */
export const backupProblem = (error: unknown): string => {
  if (isStorageError(error, 'store_unreadable', 'store_unsafe', 'store_too_new', 'path_unusable')) return error.message
  throw error
}
