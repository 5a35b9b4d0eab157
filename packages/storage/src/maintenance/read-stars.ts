import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { entriesOf } from '../json/entries-of.ts'
import { jsonOrNull } from '../json/json-or-null.ts'

export interface Stars {
  /** Ids of predictions and chains. */
  readonly ids: readonly string[]
}

/**
 * What users have starred: the keys of `.nirs-workspace/stars.json`. A file that cannot be read stops whatever would remove by score, since
 * it might protect something.
 */
export const readStars = async (root: string): Promise<Stars> => {
  const path = join(root, '.nirs-workspace', 'stars.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return { ids: [] }
    throw error
  }
  const entries = entriesOf(jsonOrNull(text))
  if (entries !== undefined) return { ids: entries.filter(([, star]) => star !== false && star !== null).map(([id]) => id) }
  throw new StorageError('validation', 'The list of stars cannot be read. Nothing was changed.', {
    path,
    hint: 'Restore .nirs-workspace/stars.json from a backup, or delete it.',
  })
}
