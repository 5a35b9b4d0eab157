import type { DatabaseSync } from 'node:sqlite'
import { openSqlite, unreadable } from './open-sqlite.ts'

/** Opens a `store.sqlite` for as long as `work` reads it. Throws `store_unreadable` also for damage that shows only when it is read. */
export const withSqlite = async <T>(path: string, work: (database: DatabaseSync) => T | Promise<T>): Promise<T> => {
  const store = await openSqlite(path)
  try {
    return await work(store.database)
  } catch (error) {
    throw isSqliteError(error) ? unreadable(path, error) : error
  } finally {
    await store.close()
  }
}

const isSqliteError = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
