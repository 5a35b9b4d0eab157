import { existsSync } from 'node:fs'
import { type Catalog, type CatalogMeta, readCatalogMeta } from '@nirs-workspace/storage'
import type { StorageMode, Workspace, WorkspaceCounts } from '@nirs-workspace/types'
import type { OpenedWorkspace } from './opened-workspace.ts'

const nothingCounted: WorkspaceCounts = {
  runs: 0,
  pipelines: 0,
  chains: 0,
  predictions: 0,
  arrays: 0,
  artifacts: 0,
  logs: 0,
  projects: 0,
}

/** A workspace as lists show it, from its catalog. Before there is one, `catalog.state` says so and the counts are zero. */
export const describeWorkspace = async (workspace: OpenedWorkspace, currentId: string | undefined): Promise<Workspace> => {
  const meta = workspace.fingerprint === null ? undefined : await workspace.query(metaOf)
  return {
    id: workspace.id,
    name: workspace.resolved.name,
    path: workspace.path,
    current: workspace.id === currentId,
    storage_mode: meta?.storage_status.storage_mode ?? apparentMode(workspace),
    counts: meta?.counts ?? nothingCounted,
    catalog: workspace.catalogInfo,
    writer: workspace.writer,
  }
}

/** What the names of the files suggest, until the catalog knows. */
const apparentMode = ({ resolved }: OpenedWorkspace): StorageMode => {
  if (resolved.kind === 'portable') return 'portable'
  if (resolved.sqlite !== null) return 'sqlite'
  return existsSync(resolved.arrays) ? 'migrated' : 'legacy'
}

const known = new WeakMap<Catalog, Promise<CatalogMeta>>()

/** Read once per open catalog, whose content never changes. */
const metaOf = (catalog: Catalog): Promise<CatalogMeta> => {
  const meta = known.get(catalog) ?? readCatalogMeta(catalog.engine)
  known.set(catalog, meta)
  return meta
}
