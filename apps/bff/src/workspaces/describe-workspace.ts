import { type Catalog, type CatalogMeta, readCatalogMeta } from '@nirs-workspace/storage'
import type { Workspace } from '@nirs-workspace/types'
import type { OpenedWorkspace } from './opened-workspace.ts'

/** A workspace as lists show it: whether it is there now, the rest from its catalog. Before there is one, `catalog.state` says so. */
export const describeWorkspace = async (workspace: OpenedWorkspace, currentId: string | undefined): Promise<Workspace> => {
  const exists = (await workspace.look()) === undefined
  const meta = workspace.fingerprint === null ? undefined : await workspace.query(metaOf)
  return {
    id: workspace.id,
    name: workspace.resolved.name,
    path: workspace.path,
    current: workspace.id === currentId,
    exists,
    storage_mode: meta?.storage_status.storage_mode ?? null,
    counts: meta?.counts ?? null,
    catalog: workspace.catalogInfo,
    writer: workspace.writer,
  }
}

const known = new WeakMap<Catalog, Promise<CatalogMeta>>()

/** Read once per open catalog, whose content never changes. */
const metaOf = (catalog: Catalog): Promise<CatalogMeta> => {
  const meta = known.get(catalog) ?? readCatalogMeta(catalog.engine)
  known.set(catalog, meta)
  return meta
}
