import { basename, dirname, join } from 'node:path'
import { attachReadOnly, detach } from '../engine/attach-store.ts'
import { toStorageError } from '../engine/engine-error.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { checkedTables } from './checked-stores.ts'
import { look } from './look-at.ts'
import type { AttachedStore } from './store-facts.ts'

const turns = new Map<string, Promise<void>>()
const writers = new Set<string>()

/**
 * One at a time per path within this process: two engines that attach the same file would not exclude each other (POSIX locks do not
 * conflict inside a process), and the first to let go would drop the lock of both.
 */
const inTurn = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  const before = turns.get(path) ?? Promise.resolve()
  const { promise: mine, resolve: done } = Promise.withResolvers<void>()
  const tail = before.then(() => mine)
  turns.set(path, tail)
  await before
  try {
    if (writers.has(path)) throw openHere(path)
    return await work()
  } finally {
    done()
    if (turns.get(path) === tail) turns.delete(path)
  }
}

/**
 * Waits for the readers of this process, then keeps them out (`store_locked`) until the function that it returns is called: for who
 * attaches the store for writing.
 */
export const claimStore = (path: string): Promise<() => void> =>
  inTurn(path, async () => {
    writers.add(path)
    return () => void writers.delete(path)
  })

const openHere = (path: string) =>
  new StorageError('store_locked', `${basename(path)} is open for writing in this program itself. Nothing was changed.`, {
    path,
    hint: 'Read through the store that is open, or close it first.',
    locked_by: { pid: process.pid },
  })

/**
 * Attaches a DuckDB store for reading for the length of `work`, after checking that it is what it says. Throws `store_locked` (with the
 * process that holds it), `store_unreadable`, `store_too_new`, `store_unsafe`.
 */
export const withAttachedStore = <T>(engine: Engine, path: string, alias: string, work: (store: AttachedStore) => Promise<T>): Promise<T> =>
  inTurn(path, async () => {
    await attach(engine, path, alias)
    try {
      return await work({ engine, alias, tables: await checkedTables(engine, path, alias), sqlite: null })
    } catch (error) {
      throw asUnreadable(path, error)
    } finally {
      await detach(engine, alias)
    }
  })

const attach = async (engine: Engine, path: string, alias: string): Promise<void> => {
  const status = await look(path)
  if (status === null) throw new StorageError('workspace_not_found', `${path} is no longer there.`, { path, hint: 'Reload the workspace.' })
  if (status.size === 0) throw unreadable(path, 'it is empty')
  try {
    await attachReadOnly(engine, path, alias)
  } catch (error) {
    if (isStorageError(error) || !(error instanceof Error)) throw error
    throw (await interruptedBeside(path, error)) ?? unreadable(path, firstLine(error), error)
  }
}

/** In the middle of a swap the log of one store may lie beside the other, and DuckDB refuses the pair: recovery parts them. */
const interruptedBeside = async (path: string, cause: Error): Promise<StorageError | null> => {
  if ((await look(join(dirname(path), '.nirs-workspace', 'journal.json'))) === null) return null
  return new StorageError(
    'interrupted',
    `A job that changes this workspace is under way or was interrupted, and ${basename(path)} cannot be read until it is finished. All data is there.`,
    {
      path,
      hint: 'Open the workspace in the app, or run `migrate` or `rollback`: they finish what was begun. Let no other program write to it before.',
    },
    cause,
  )
}

// What DuckDB says when the bytes are not what the format promises; anything else is a mistake of ours and stays one.
const aboutTheFile = /^(IO|Serialization|Invalid Input|Invalid|INTERNAL|FATAL|Fatal|Corrupt|Data|Out of Range) ?(Error|exception)?:/i

// What is said of a file that is being written beside the store is not about the store.
const aboutWriting = /could not (write|truncate|sync|create|remove)|file too large|read-only file system|disk quota/i

/** A plain error of the engine while it reads a store, as `store_unreadable`. */
export const asUnreadable = (path: string, thrown: unknown): unknown => {
  const error = toStorageError(thrown)
  if (isStorageError(error) || !(error instanceof Error) || error.constructor !== Error) return error
  return aboutTheFile.test(error.message) && !aboutWriting.test(error.message) ? unreadable(path, firstLine(error), error) : error
}

const firstLine = (error: Error): string => (error.message.split('\n')[0] ?? '').slice(0, 300)

const unreadable = (path: string, reason: string, cause?: unknown) =>
  new StorageError(
    'store_unreadable',
    `${basename(path)} cannot be read: ${reason}. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup.' },
    cause,
  )
