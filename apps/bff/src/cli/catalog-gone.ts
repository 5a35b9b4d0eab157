import { stat } from 'node:fs/promises'
import { type Catalog, isStorageError, StorageError, systemCode } from '@nirs-workspace/storage'

/** Why an export that opens its catalog anew for each dataset failed, when that is because another program has removed it meanwhile. */
export const orCatalogGone = async ({ file }: Pick<Catalog, 'file'>, error: unknown): Promise<unknown> => {
  if (isStorageError(error) || (await isThere(file.path))) return error
  return new StorageError(
    'catalog_building',
    'The catalog of this workspace was removed meanwhile: the workspace has changed and was read anew by another program. Nothing was written.',
    { hint: 'Export again.' },
    error,
  )
}

const isThere = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
