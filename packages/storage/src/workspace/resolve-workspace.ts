import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { hintFor } from './look-alikes.ts'
import { isFile, isFolder, look, namesIn } from './look-at.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * Says what a path is: a workspace folder, a folder that holds `workspace/`, a store file, a lone Parquet file, or a folder with nothing
 * but `arrays/*.parquet`. Looks at names and kinds only; opens, creates and changes nothing.
 * Throws `workspace_not_found` or `not_a_workspace`.
 */
export const resolveWorkspace = (path: string): Promise<ResolvedWorkspace> => tellingUnreadable(path, () => resolveReadable(path))

/** What this user may not even look at is told in our words. */
export const tellingUnreadable = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error
    const hint = 'Ask for read permission.'
    throw new StorageError('workspace_not_found', `${path} may not be read by this user.`, { path, hint }, error)
  }
}

const resolveReadable = async (path: string): Promise<ResolvedWorkspace> => {
  const real = await realPathOf(path)
  if (await isFolder(real)) {
    const found = (await asFolder(real)) ?? (await asFolder(join(real, 'workspace')))
    if (found !== null) return found
    throw new StorageError('not_a_workspace', `${path} holds no store.duckdb, store.sqlite or arrays/*.parquet. Nothing was created.`, {
      path,
      hint: await hintFor(real),
    })
  }
  return asFile(path, real)
}

const realPathOf = async (path: string): Promise<string> => {
  try {
    return await realpath(resolve(path))
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error
    throw new StorageError(
      'workspace_not_found',
      `There is no ${path}. Nothing was created.`,
      { path, hint: await hintFor(dirname(resolve(path))) },
      error,
    )
  }
}

const asFolder = async (given: string): Promise<ResolvedWorkspace | null> => {
  if (!(await isFolder(given))) return null
  const root = await realpath(given)
  const existing = async (name: string) => ((await isFile(join(root, name))) ? join(root, name) : null)
  const duckdb = await existing('store.duckdb')
  const sqlite = await existing('store.sqlite')
  const arrays = join(root, 'arrays')
  const shared = { root, name: nameOf(root), arrays, parquet: null }
  if (duckdb !== null || sqlite !== null) {
    return { ...shared, kind: 'workspace', duckdb, sqlite, bak: await existing('store.duckdb.bak') }
  }
  return (await holdsParquet(arrays)) ? { ...shared, kind: 'portable', duckdb, sqlite, bak: null } : null
}

// A folder called `workspace` says nothing; the one it lies in does.
const nameOf = (root: string): string => {
  const name = basename(root)
  return (name === 'workspace' && basename(dirname(root))) || name || root
}

const holdsParquet = async (folder: string): Promise<boolean> => {
  for (const name of await namesIn(folder)) {
    if (/^[^.].*\.parquet$/i.test(name) && (await isFile(join(folder, name)))) return true
  }
  return false
}

const asFile = async (path: string, real: string): Promise<ResolvedWorkspace> => {
  const status = await look(real)
  const name = basename(real)
  if (status?.isFile() && (name === 'store.duckdb' || name === 'store.sqlite')) {
    const folder = await asFolder(dirname(real))
    if (folder !== null) return folder
  }
  if (status?.isFile() && /\.parquet$/i.test(name)) {
    const root = dirname(real)
    return { root, name, kind: 'portable', duckdb: null, sqlite: null, bak: null, arrays: root, parquet: real }
  }
  const what = status?.isFile() ? 'is neither store.duckdb, store.sqlite nor a Parquet file' : 'is neither a folder nor a regular file'
  throw new StorageError('not_a_workspace', `${path} ${what}. It was not opened.`, { path, hint: await hintFor(dirname(real)) })
}
