import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { hasArraysFolder, listArrayFiles } from './array-files.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * Changes when any store, log, array file or the list of removed predictions does: size, time of change in nanoseconds, inode.
 * Stats only, so it neither waits for a lock nor disturbs one. 32 hexadecimal digits.
 */
export const fingerprintWorkspace = async (resolved: ResolvedWorkspace): Promise<string> => {
  const stores = ['store.duckdb', 'store.duckdb.wal', 'store.sqlite', 'store.sqlite-wal', 'store.duckdb.bak']
  const files = (await listArrayFiles(resolved)).map((file) => join(resolved.root, file.path))
  const paths = [
    ...(resolved.parquet === null ? stores.map((name) => join(resolved.root, name)) : []),
    ...files,
    join(resolved.arrays, '_tombstones.json'),
  ]
  const hash = createHash('sha256')
  hash.update(`arrays ${await hasArraysFolder(resolved)}\n`)
  for (const path of paths) hash.update(`${path.slice(resolved.root.length)}\0${await line(path)}\n`)
  return hash.digest('hex').slice(0, 32)
}

const line = async (path: string): Promise<string> => {
  try {
    const status = await stat(path, { bigint: true })
    return `${status.size} ${status.mtimeNs} ${status.ino}`
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return '-'
    throw error
  }
}
