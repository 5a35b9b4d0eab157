import { copyFile, link } from 'node:fs/promises'
import { StorageError, systemCode } from '@nirs-workspace/storage'
import type { ExportOrder } from '../children/export-messages.ts'

type Context = ExportOrder['context']

/**
 * Gives the catalog that an export is to read a second name, `path`, to be removed afterwards: while the export waits for its turn, newer
 * catalogs may be built and this one tidied away. Throws `catalog_building` when it has gone already.
 */
export const holdCatalog = async (context: Context, path: string): Promise<Context> => {
  const { file } = context.catalog
  try {
    // Not every disk knows second names.
    await link(file.path, path).catch(() => copyFile(file.path, path))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new StorageError(
      'catalog_building',
      'The catalog of this workspace has just been replaced by a newer one. No file was kept.',
      { hint: 'Ask again in a moment.' },
      error,
    )
  }
  return { ...context, catalog: { file: { path } } }
}
