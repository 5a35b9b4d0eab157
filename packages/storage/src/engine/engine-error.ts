import type { LockHolder } from '@nirs-workspace/types'
import { isStorageError, StorageError } from '../errors.ts'

const holderOf = (message: string) => {
  const pid = /\(PID (\d+)\)/.exec(message)?.[1]
  const command = /Conflicting lock is held in (.+?) \(PID/.exec(message)?.[1]
  return pid === undefined ? undefined : { pid: Number(pid), ...(command === undefined ? {} : { command }) }
}

export const storeLocked = (locked_by: LockHolder | undefined, cause?: unknown): StorageError => {
  const who = locked_by === undefined ? 'Another process' : `Process ${locked_by.pid}${locked_by.command ? ` (${locked_by.command})` : ''}`
  return new StorageError(
    'store_locked',
    `${who} has the store open. Nothing was changed.`,
    { hint: 'Wait until it has finished, then try again.', ...(locked_by === undefined ? {} : { locked_by }) },
    cause,
  )
}

/** DuckDB reports everything as a plain Error; these are the causes a person can act on. Others pass through unchanged. */
export const toStorageError = (error: unknown): unknown => {
  if (!(error instanceof Error) || isStorageError(error)) return error
  const { message } = error
  if (message.includes('Could not set lock on file')) {
    return storeLocked(holderOf(message), error)
  }
  if (/Trying to read a database file with version number/.test(message)) {
    return new StorageError(
      'store_too_new',
      'The store was written by a newer DuckDB than this program reads. Nothing was changed.',
      { hint: 'Update NIRS Workspace.' },
      error,
    )
  }
  if (/No space left on device|not enough disk space|ENOSPC/i.test(message)) {
    return new StorageError(
      'no_space',
      'The disk is full. What was there before is untouched.',
      { hint: 'Free some space and try again.' },
      error,
    )
  }
  if (/^Out of Memory Error|could not allocate block of size|failed to allocate data of size/i.test(message)) {
    return new StorageError(
      'out_of_memory',
      `The data needs more memory at a time than this program may use: ${firstLine(message)}. Nothing was changed.`,
      { hint: 'Close other programs, or work on a machine with more memory.' },
      error,
    )
  }
  if (/replaying WAL file.*computed checksum/is.test(message)) {
    return new StorageError(
      'store_unreadable',
      `The log beside the store is damaged, so DuckDB does not open the store: ${firstLine(message)}. Nothing was changed.`,
      {
        hint: 'Restore store.duckdb.wal from a backup. In a copy of the folder without that log the store opens as it was before: what was written since is in the log alone.',
      },
      error,
    )
  }
  if (/Corrupt database file|not a valid DuckDB database file|does not exist in the checksum|computed checksum/i.test(message)) {
    return new StorageError(
      'store_unreadable',
      `DuckDB cannot read the store: ${firstLine(message)} Nothing was changed.`,
      { hint: 'Restore the file from a backup.' },
      error,
    )
  }
  return error
}

const firstLine = (message: string) => `${message.split('\n')[0]?.slice(0, 300) ?? ''}`
