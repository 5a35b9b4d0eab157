import { DatabaseSync } from 'node:sqlite'

/** Whether somebody holds a store.sqlite for writing. */
export const isLocked = (store: string): boolean => {
  const database = new DatabaseSync(store)
  try {
    database.exec('BEGIN IMMEDIATE')
    return false
  } catch {
    return true
  } finally {
    database.close()
  }
}
