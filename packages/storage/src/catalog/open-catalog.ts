import { attachReadOnly } from '../engine/attach-store.ts'
import { Engine, type EngineOptions } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { removeTree } from '../files/disk.ts'
import { asUnreadable } from '../workspace/open-store.ts'
import type { CatalogFile } from './catalog-file.ts'

/** An open catalog: `USE catalog` is in force, so tables need no prefix. Nothing of the workspace is open. */
export interface Catalog {
  readonly engine: Engine
  readonly file: CatalogFile
  close(): void
}

/**
 * Opens a catalog for reading. The engine can open nothing else afterwards: what the store's author wrote stays text. A catalog that is
 * gone or damaged is removed and `catalog_building` thrown: there is none, and one has to be built.
 */
export const openCatalog = async (file: CatalogFile, options: EngineOptions = {}): Promise<Catalog> => {
  const engine = await Engine.open(options)
  try {
    await attachReadOnly(engine, file.path, 'catalog')
    await engine.run('USE catalog')
    await engine.run('SET enable_external_access = false')
    return { engine, file, close: () => engine.close() }
  } catch (error) {
    engine.close()
    if (!isStorageError(asUnreadable(file.path, error), 'store_unreadable', 'store_too_new')) throw error
    await removeTree(file.path)
    throw new StorageError(
      'catalog_building',
      'The catalog was damaged or removed. The workspace is untouched.',
      { hint: 'Build it again.' },
      error,
    )
  }
}
