import { attachReadOnly } from '../engine/attach-store.ts'
import { Engine, type EngineOptions } from '../engine/open-engine.ts'
import type { CatalogFile } from './catalog-file.ts'

/** An open catalog: `USE catalog` is in force, so tables need no prefix. Nothing of the workspace is open. */
export interface Catalog {
  readonly engine: Engine
  readonly file: CatalogFile
  close(): void
}

/** Opens a catalog for reading. The engine can open nothing else afterwards: what the store's author wrote stays text. */
export const openCatalog = async (file: CatalogFile, options: EngineOptions = {}): Promise<Catalog> => {
  const engine = await Engine.open(options)
  try {
    await attachReadOnly(engine, file.path, 'catalog')
    await engine.run('USE catalog')
    await engine.run('SET enable_external_access = false')
    return { engine, file, close: () => engine.close() }
  } catch (error) {
    engine.close()
    throw error
  }
}
