import { stat } from 'node:fs/promises'
import { quotedIdentifier, quotedString } from '@duckdb/node-api'
import { StorageError } from '../errors.ts'
import type { Engine } from './open-engine.ts'

export { quotedIdentifier, quotedString }

/** Attaches a DuckDB file for reading; the shared lock is held until `detach`. A left-over log is replayed in memory, not on disk. */
export const attachReadOnly = async (engine: Engine, path: string, alias: string): Promise<void> => {
  refuseQuestionMark(path)
  await expectFile(engine, path)
  await engine.run(`ATTACH ${quotedString(path)} AS ${quotedIdentifier(alias)} (READ_ONLY)`)
}

/**
 * Attaches (creating it if absent) a DuckDB file for writing, in the storage version that DuckDB 0.10 to 1.x read.
 * `blockSize` in bytes counts only for a new file; keep the source's, or a small store grows.
 */
export const attachWritable = (engine: Engine, path: string, alias: string, blockSize?: number): Promise<void> =>
  attachForWriting(engine, path, alias, blockSize === undefined ? '' : `, BLOCK_SIZE ${blockSize}`)

/**
 * As `attachWritable`, for a new file that counts only when it is whole and closed: DuckDB puts nothing of it into a log, which it would
 * make for everybody to read whoever may read the file.
 */
export const attachUnlogged = (engine: Engine, path: string, alias: string, blockSize: number): Promise<void> =>
  attachForWriting(engine, path, alias, `, BLOCK_SIZE ${blockSize}, RECOVERY_MODE 'no_wal_writes'`)

const attachForWriting = async (engine: Engine, path: string, alias: string, options: string): Promise<void> => {
  refuseQuestionMark(path)
  await expectFile(engine, path)
  await engine.run(`ATTACH ${quotedString(path)} AS ${quotedIdentifier(alias)} (READ_WRITE, STORAGE_VERSION 'v1.0.0'${options})`)
}

/** Looks at the size alone: opening a store that DuckDB has open here would drop its lock. */
export const expectFile = async (engine: Engine, path: string): Promise<void> => {
  const status = await stat(path).catch(() => null)
  await engine.expect(status?.size ?? 0)
}

/** DuckDB looks for the log of `a?b/store.duckdb` under `a.wal?b/store.duckdb`: what a left-over log holds would silently be missing. */
const refuseQuestionMark = (path: string): void => {
  if (!path.includes('?')) return
  throw new StorageError('path_unusable', `DuckDB misreads paths with a question mark, such as ${path}. Nothing was opened or changed.`, {
    path,
    hint: 'Rename the folder so that its path has no question mark.',
  })
}

export const detach = (engine: Engine, alias: string): Promise<void> => engine.run(`DETACH ${quotedIdentifier(alias)}`)
