import { join } from 'node:path'
import { isFolder, lookAtLink, namesIn } from './look-at.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/** A regular Parquet file of a workspace. */
export interface ArrayFile {
  /** Relative to the root, '/' between names. */
  readonly path: string
  readonly bytes: number
}

const parquetName = /^[^.].*\.parquet$/i

/**
 * The Parquet files of a workspace, by name. Links, pipes, sockets and folders that are called so are passed over; so are hidden ones,
 * which are temporary.
 */
export const listArrayFiles = async (resolved: ResolvedWorkspace): Promise<ArrayFile[]> => {
  if (resolved.parquet !== null) {
    const status = await lookAtLink(resolved.parquet)
    return status?.isFile() ? [{ path: resolved.parquet.slice(resolved.arrays.length + 1), bytes: status.size }] : []
  }
  const files: ArrayFile[] = []
  for (const name of (await namesIn(resolved.arrays)).filter((name) => parquetName.test(name))) {
    const status = await lookAtLink(join(resolved.arrays, name))
    if (status?.isFile()) files.push({ path: `arrays/${name}`, bytes: status.size })
  }
  return files
}

/** Whether there is an arrays folder that counts: one with nothing but the staging folders of an interrupted job does not. */
export const hasArraysFolder = async (resolved: ResolvedWorkspace): Promise<boolean> => {
  if (resolved.parquet !== null || !(await isFolder(resolved.arrays))) return false
  const names = await namesIn(resolved.arrays)
  return names.length === 0 || names.some((name) => !name.startsWith('.staging-'))
}
