import { copyFile, mkdtemp, open as openFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StorageError, systemCode } from '../errors.ts'

export interface SqliteStore {
  readonly database: DatabaseSync
  close(): Promise<void>
}

/**
 * Opens `store.sqlite` for reading without leaving a trace. Even a read-only connection to a database in WAL mode creates `-wal` and
 * `-shm` beside it, and a closing one may remove them. So: without a live log the file is opened as immutable, which touches nothing
 * else; with one, the store and its log are copied to a temporary folder and the copy is read. A log that is growing while it is copied
 * ends, for SQLite, at its last whole transaction; a checkpoint in between shows in the store's own time, a log that was begun anew in its
 * header, and the copy is made again.
 */
export const openSqlite = async (path: string): Promise<SqliteStore> => {
  const copy = (await hasLiveLog(path)) ? await copyAside(path) : null
  try {
    const database = open(path, copy?.path ?? null)
    return {
      database,
      close: async () => {
        database.close()
        await copy?.remove()
      },
    }
  } catch (error) {
    await copy?.remove()
    throw error
  }
}

// What a writer has not moved into the database yet, or has to take back: nirs4all writes `-wal`, a plain SQLite `-journal`.
const logs = ['-wal', '-journal'] as const

const isThere = async (path: string): Promise<boolean> => ((await sizeAndTime(path))?.size ?? 0n) > 0n

const hasLiveLog = async (path: string): Promise<boolean> => (await isThere(`${path}-wal`)) || (await isThere(`${path}-journal`))

const sizeAndTime = async (path: string) => {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}

const copyAside = async (path: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-sqlite-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    return { path: await steadyCopy(path, folder), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

const steadyCopy = async (path: string, folder: string): Promise<string> => {
  const target = join(folder, basename(path))
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const before = await stateOf(path)
    await copyFile(path, target)
    for (const log of logs) {
      if (await isThere(`${path}${log}`)) await copyFile(`${path}${log}`, `${target}${log}`)
      else await rm(`${target}${log}`, { force: true })
    }
    if ((await stateOf(path)) === before) return target
  }
  throw new StorageError('store_locked', 'Another process keeps writing to store.sqlite. Nothing was changed.', {
    path,
    hint: 'Wait until it has finished, then try again.',
  })
}

/**
 * A log that is begun anew in place keeps its size and leaves the store alone. Copied meanwhile it is one of the first old frames alone, which
 * put some pages of the store back to what they were.
 */
const stateOf = async (path: string): Promise<string> => {
  const store = await sizeAndTime(path)
  const heads = await Promise.all(logs.map((log) => readHead(`${path}${log}`)))
  return [store?.size, store?.mtimeNs, ...heads].join(' ')
}

/** Of `-wal` with the salts of its frames; of `-journal` with its nonce. */
const headBytes = 32

const readHead = async (path: string): Promise<string> => {
  try {
    await using file = await openFile(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return buffer.toString('hex', 0, bytesRead)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

const open = (path: string, copy: string | null): DatabaseSync => {
  let database: DatabaseSync | undefined
  try {
    database = copy === null ? new DatabaseSync(immutable(path), { readOnly: true }) : new DatabaseSync(copy)
    // The first statement reads the header: a file that is no database fails here.
    database.prepare('SELECT count(*) FROM sqlite_master').get()
    return database
  } catch (error) {
    database?.close()
    throw unreadable(path, error)
  }
}

const immutable = (path: string): URL => {
  const url = pathToFileURL(path)
  url.search = '?immutable=1'
  return url
}

/** What an error of node:sqlite means to the user. */
export const unreadable = (path: string, error: unknown): unknown => {
  if (error instanceof StorageError || !(error instanceof Error)) return error
  return new StorageError(
    'store_unreadable',
    `SQLite cannot read ${basename(path)}: ${error.message}. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup.' },
    error,
  )
}
