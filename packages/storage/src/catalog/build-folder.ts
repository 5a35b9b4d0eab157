import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { makeFolder, removeTree, rename, unlink } from '../files/disk.ts'
import { isFile, namesIn } from '../workspace/look-at.ts'
import { parseCatalogName } from './catalog-file.ts'

/** A builder that is still at work after this long has been killed. Milliseconds. */
const ABANDONED_AFTER = 6 * 3600 * 1000

/** Makes a folder of our own below `folder` for the catalog in the making, copies and what DuckDB spills; removed after `work`. */
export const withBuildFolder = async <T>(folder: string, work: (own: string) => Promise<T>): Promise<T> => {
  const own = join(folder, `.build-${process.pid}-${randomUUID()}`)
  try {
    await makeFolder(own)
  } catch (error) {
    throw new StorageError(
      'write_failed',
      `The cache folder ${folder} cannot be written (${systemCode(error) ?? 'unknown cause'}). The workspace is untouched.`,
      { path: folder, hint: 'Set XDG_CACHE_HOME to a folder that you may write.' },
      error,
    )
  }
  try {
    return await work(own)
  } finally {
    await removeTree(own)
  }
}

/** Gives a finished catalog its name. When another process was faster, its catalog of the same state stays. */
export const publish = async (made: string, target: string): Promise<void> => {
  try {
    await rename(made, target)
  } catch (error) {
    // Windows does not rename over a file that somebody reads.
    if (!['EPERM', 'EACCES', 'EBUSY', 'EEXIST'].includes(systemCode(error) ?? '') || !(await isFile(target))) throw error
  }
}

/** Removes what is no longer of use: catalogs of this workspace but the current and the one before, and folders of killed builders. */
export const tidyCatalogs = async (folder: string, key: string, current: string): Promise<void> => {
  const names = await namesIn(folder)
  const others = await byAge(
    folder,
    names.filter((name) => name !== current && parseCatalogName(name)?.key === key),
  )
  for (const { path } of others.slice(1)) await remove(() => unlink(path))
  const builds = await byAge(
    folder,
    names.filter((name) => name.startsWith('.build-')),
  )
  for (const { path, time } of builds) if (Date.now() - time > ABANDONED_AFTER) await remove(() => removeTree(path))
}

/** Newest first; names that vanish meanwhile are left out. */
export const byAge = async (folder: string, names: readonly string[]): Promise<{ name: string; path: string; time: number }[]> => {
  const aged: { name: string; path: string; time: number }[] = []
  for (const name of names) {
    const path = join(folder, name)
    try {
      aged.push({ name, path, time: (await stat(path)).mtimeMs })
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
  return aged.sort((a, b) => b.time - a.time)
}

// Another process may have removed it first; on Windows one that still reads it keeps it until the next time.
const remove = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!['ENOENT', 'EPERM', 'EACCES', 'EBUSY'].includes(systemCode(error) ?? '')) throw error
  }
}
