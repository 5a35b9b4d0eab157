import { basename, join } from 'node:path'
import { isFolder, lookAtLink, namesIn } from './look-at.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/** Something called like a Parquet file. */
export interface ArrayFile {
  /** Relative to the root, '/' between names. */
  readonly path: string
  /** 0 for links, pipes and whatever else is no regular file: they are never opened, and reading them is an error. */
  readonly bytes: number
}

const parquetName = /^[^.].*\.parquet$/i

/** The Parquet files of a workspace, by name. Hidden ones are temporary and left out. */
export const listArrayFiles = async (resolved: ResolvedWorkspace): Promise<ArrayFile[]> => {
  const { parquet, arrays } = resolved
  if (parquet !== null) return [{ path: basename(parquet), bytes: await regularSize(parquet) }]
  const files: ArrayFile[] = []
  for (const name of await namesIn(arrays)) {
    if (parquetName.test(name)) files.push({ path: `arrays/${name}`, bytes: await regularSize(join(arrays, name)) })
  }
  return files
}

const regularSize = async (path: string): Promise<number> => {
  const status = await lookAtLink(path)
  return status?.isFile() ? status.size : 0
}

/** Whether there is an arrays folder that counts: one with nothing but the staging folders of an interrupted job does not. */
export const hasArraysFolder = async (resolved: ResolvedWorkspace): Promise<boolean> => {
  if (resolved.parquet !== null || !(await isFolder(resolved.arrays))) return false
  const names = await namesIn(resolved.arrays)
  return names.length === 0 || names.some((name) => !name.startsWith('.staging-'))
}
