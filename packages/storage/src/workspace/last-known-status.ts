import type { StorageStatus } from '@nirs-workspace/types'
import type { CatalogFile } from '../catalog/catalog-file.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { readCatalogMeta } from '../catalog/read-info.ts'
import type { StorageError } from '../errors.ts'
import { liveStatus } from './live-status.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * The status while another process holds the store: what the last catalog knew of it, with what can be seen without opening it as it is
 * now, and with the holder that `locked` names.
 */
export const lastKnownStatus = async (resolved: ResolvedWorkspace, last: CatalogFile, locked: StorageError): Promise<StorageStatus> => {
  const catalog = await openCatalog(last)
  try {
    const { storage_status } = await readCatalogMeta(catalog.engine)
    return { ...storage_status, ...(await liveStatus(resolved)), locked_by: locked.fields.locked_by ?? null }
  } finally {
    catalog.close()
  }
}
