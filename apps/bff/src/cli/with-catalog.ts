import {
  buildCatalog,
  type Catalog,
  type CatalogFile,
  findCatalog,
  isStorageError,
  openCatalog,
  type ResolvedWorkspace,
  resolveWorkspace,
} from '@nirs-workspace/storage'
import { userFolders } from '../folders.ts'
import { say } from './output.ts'

type Work<T> = (catalog: Catalog, resolved: ResolvedWorkspace) => Promise<T>

/** Runs a query on the fresh catalog of a workspace, which is built first when there is none. The workspace is only read. */
export const withCatalog = async <T>(path: string, work: Work<T>): Promise<T> => {
  const resolved = await resolveWorkspace(path)
  return onCatalog((await freshCatalog(resolved)).file, resolved, work)
}

/**
 * As `withCatalog`; while another process holds the store and has changed it, on the last catalog there is, saying so and from when it is
 * in `catalog_as_of`. Without any, `store_locked`.
 */
export const withLatestCatalog = async <T extends object>(path: string, work: Work<T>): Promise<T & { catalog_as_of?: string }> => {
  const resolved = await resolveWorkspace(path)
  const { file, isStale } = await freshCatalog(resolved, { orLast: true })
  const answer = await onCatalog(file, resolved, work)
  if (!isStale) return answer
  say(`Another process has the store open. This is what was in it at ${file.built_at}, when it was last read.`)
  return { ...answer, catalog_as_of: file.built_at }
}

const onCatalog = async <T>(file: CatalogFile, resolved: ResolvedWorkspace, work: Work<T>): Promise<T> => {
  const catalog = await openCatalog(file)
  try {
    return await work(catalog, resolved)
  } finally {
    catalog.close()
  }
}

const freshCatalog = async (resolved: ResolvedWorkspace, { orLast = false } = {}): Promise<{ file: CatalogFile; isStale: boolean }> => {
  const options = { cacheFolder: userFolders().cache }
  const { fresh, last } = await findCatalog(resolved, options)
  if (fresh !== undefined) return { file: fresh, isStale: false }
  if (process.stderr.isTTY) say('Reading the workspace …')
  try {
    return { file: await buildCatalog(resolved, options), isStale: false }
  } catch (error) {
    if (!orLast || last === undefined || !isStorageError(error, 'store_locked')) throw error
    return { file: last, isStale: true }
  }
}
