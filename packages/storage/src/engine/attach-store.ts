import { quotedIdentifier, quotedString } from '@duckdb/node-api'
import type { Engine } from './open-engine.ts'

export { quotedIdentifier, quotedString }

/** Attaches a DuckDB file for reading; the shared lock is held until `detach`. A left-over log is replayed in memory, not on disk. */
export const attachReadOnly = (engine: Engine, path: string, alias: string): Promise<void> =>
  engine.run(`ATTACH ${quotedString(path)} AS ${quotedIdentifier(alias)} (READ_ONLY)`)

/**
 * Attaches (creating it if absent) a DuckDB file for writing, in the storage version that DuckDB 0.10 to 1.x read.
 * `blockSize` in bytes counts only for a new file; keep the source's, or a small store grows.
 */
export const attachWritable = (engine: Engine, path: string, alias: string, blockSize?: number): Promise<void> => {
  const size = blockSize === undefined ? '' : `, BLOCK_SIZE ${blockSize}`
  return engine.run(`ATTACH ${quotedString(path)} AS ${quotedIdentifier(alias)} (READ_WRITE, STORAGE_VERSION 'v1.0.0'${size})`)
}

export const detach = (engine: Engine, alias: string): Promise<void> => engine.run(`DETACH ${quotedIdentifier(alias)}`)
