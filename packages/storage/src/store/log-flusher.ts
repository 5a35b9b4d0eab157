import { stat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import { syncFolder } from '../files/disk.ts'
import type { Layout } from '../migration/workspace-layout.ts'

/**
 * DuckDB flushes what it commits, but not the name of the log that it makes for it after each checkpoint. The function flushes that, with the
 * workspace's folder, when the log is another one than when it was last called.
 */
export const logFlusher = ({ root, wal }: Layout): (() => Promise<void>) => {
  let flushed: string | null = null
  return async () => {
    const log = await versionOf(wal)
    if (log === null || log.version === flushed) return
    await syncFolder(root)
    // Where a disk does not tell when a file was made, a new one cannot be told from the one before.
    flushed = log.isCertain ? log.version : null
  }
}

/** A new file may have the number of the one before. */
const versionOf = async (path: string): Promise<{ version: string; isCertain: boolean } | null> => {
  try {
    const { ino, birthtimeNs } = await stat(path, { bigint: true })
    return { version: `${ino} ${birthtimeNs}`, isCertain: birthtimeNs > 0n }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}
