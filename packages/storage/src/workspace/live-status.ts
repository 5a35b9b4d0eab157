import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backup, StorageStatus } from '@nirs-workspace/types'
import { systemCode } from '../errors.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { look, namesIn } from './look-at.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/** The part of a status that `stat` and the journal tell: never cached, never waits for a lock. */
export type LiveStatus = Pick<StorageStatus, 'read_only' | 'wal_bytes' | 'interrupted_job' | 'backups'>

export const liveStatus = async (resolved: ResolvedWorkspace): Promise<LiveStatus> => ({
  read_only: !(await isWritable(resolved.root)),
  wal_bytes: await walBytes(resolved),
  interrupted_job: resolved.kind === 'workspace' ? await readInterruption(resolved.root) : null,
  backups: await listBackups(resolved),
})

const isWritable = async (folder: string): Promise<boolean> => {
  try {
    await access(folder, constants.W_OK)
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

const walBytes = async ({ duckdb, sqlite }: ResolvedWorkspace): Promise<number> => {
  if (sqlite !== null) return (await look(`${sqlite}-wal`))?.size ?? 0
  return duckdb === null ? 0 : ((await look(`${duckdb}.wal`))?.size ?? 0)
}

/** The originals that migrations kept: `store.duckdb.<YYYYMMDDTHHMMSSZ>.bak`, oldest first. */
export const listBackups = async (resolved: ResolvedWorkspace): Promise<Backup[]> => {
  if (resolved.kind === 'portable') return []
  const backups: Backup[] = []
  for (const name of (await namesIn(resolved.root)).filter((name) => /^store\.duckdb\..+\.bak$/.test(name))) {
    const path = join(resolved.root, name)
    const status = await look(path)
    if (status?.isFile()) backups.push({ path, bytes: status.size, created_at: timeInName(name) ?? status.ctime.toISOString() })
  }
  return backups
}

const timeInName = (name: string): string | null => {
  const match = /\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\./.exec(name)
  if (match === null) return null
  const [, year, month, day, hour, minute, second] = match
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
}
