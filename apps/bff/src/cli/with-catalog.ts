import { buildCatalog, type Catalog, findCatalog, openCatalog, type ResolvedWorkspace, resolveWorkspace } from '@nirs-workspace/storage'
import { userFolders } from '../folders.ts'
import { say } from './output.ts'

/** Runs a query on the fresh catalog of a workspace, which is built first when there is none. The workspace is only read. */
export const withCatalog = async <T>(path: string, work: (catalog: Catalog, resolved: ResolvedWorkspace) => Promise<T>): Promise<T> => {
  const resolved = await resolveWorkspace(path)
  const options = { cacheFolder: userFolders().cache }
  const { fresh } = await findCatalog(resolved, options)
  if (fresh === undefined && process.stderr.isTTY) say('Reading the workspace …')
  const catalog = await openCatalog(fresh ?? (await buildCatalog(resolved, options)))
  try {
    return await work(catalog, resolved)
  } finally {
    catalog.close()
  }
}
