import { type Catalog, isStorageError, StorageError } from '@nirs-workspace/storage'
import { isThere } from '../is-there.ts'

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
