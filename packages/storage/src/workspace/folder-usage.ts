import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { lookAtLink } from './look-at.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

export interface Usage {
  bytes: number
  files: number
}

export const usageCategories = ['store', 'arrays', 'artifacts', 'backups', 'trash', 'logs', 'other'] as const
export type UsageCategory = (typeof usageCategories)[number]
export type FolderUsage = Record<UsageCategory, Usage>

/** What lies where in a workspace, in bytes and files. Links count as themselves and are not followed. */
export const measureFolder = async (resolved: ResolvedWorkspace): Promise<FolderUsage> => {
  const usage: FolderUsage = {
    store: none(),
    arrays: none(),
    artifacts: none(),
    backups: none(),
    trash: none(),
    logs: none(),
    other: none(),
  }
  if (resolved.parquet === null) await addFolder(usage, resolved.root, [])
  else add(usage.arrays, (await lookAtLink(resolved.parquet))?.size ?? 0)
  return usage
}

const none = (): Usage => ({ bytes: 0, files: 0 })

const add = (usage: Usage, bytes: number): void => {
  usage.bytes += bytes
  usage.files += 1
}

const addFolder = async (usage: FolderUsage, folder: string, inside: readonly string[]): Promise<void> => {
  for (const entry of await entriesOf(folder)) {
    const names = [...inside, entry.name]
    if (entry.isDirectory()) await addFolder(usage, join(folder, entry.name), names)
    else add(usage[categoryOf(names)], (await lookAtLink(join(folder, entry.name)))?.size ?? 0)
  }
}

const entriesOf = async (folder: string) => {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    // A folder that went away meanwhile, or that this user may not read, has no size to tell.
    if (['ENOENT', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return []
    throw error
  }
}

const folders: Readonly<Record<string, UsageCategory>> = { arrays: 'arrays', artifacts: 'artifacts', logs: 'logs' }

const categoryOf = ([first = '', second = '', ...deeper]: readonly string[]): UsageCategory => {
  if (second === '') return categoryOfFile(first)
  if (first === '.nirs-workspace') return second === 'trash' && deeper.length > 0 ? 'trash' : 'other'
  return folders[first] ?? 'other'
}

const categoryOfFile = (name: string): UsageCategory => {
  if (/^store\.duckdb(\..+)?\.bak(\.wal)?$/.test(name)) return 'backups'
  return /^store\.(duckdb(\.wal)?|sqlite(-wal|-shm)?)$/.test(name) ? 'store' : 'other'
}
