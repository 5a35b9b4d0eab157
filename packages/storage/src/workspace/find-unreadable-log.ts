import { open } from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import type { InspectionFinding } from './finding.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * Whether a write-ahead log begins as DuckDB writes it: with an entry (field 100) that names its version (kind 98). One that does not, as a
 * power cut may leave, DuckDB passes over without a word, and what it held is missing from everything that is read. True where there is no
 * log, or an empty one.
 */
const isLogReadable = async (path: string): Promise<boolean> => {
  try {
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(firstEntry.length), 0, firstEntry.length, 0)
    return bytesRead === 0 || buffer.equals(firstEntry)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    throw error
  }
}

const firstEntry = Buffer.from([100, 0, 98])

/** The log of the store, where it cannot be read. */
export const findUnreadableLog = async ({ duckdb }: ResolvedWorkspace): Promise<InspectionFinding[]> => {
  if (duckdb === null || (await isLogReadable(`${duckdb}.wal`))) return []
  const detail = 'store.duckdb.wal is not a log that DuckDB can read. What it held is in no figure here. The file is left as it is.'
  return [{ code: 'log_unreadable', severity: 'error', count: 1, detail }]
}
