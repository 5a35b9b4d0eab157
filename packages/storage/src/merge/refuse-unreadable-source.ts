import * as z from 'zod'
import { unreadableText } from '../catalog/unreadable-text.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import type { MergeSource } from './open-merge.ts'
import { ofSource } from './source-views.ts'

const Unreadable = z.object({ path: z.string(), error: z.string().nullable(), datasets: z.array(z.string()) })

/**
 * Refuses a source of which its catalog knows that arrays of what would come cannot be read: without them the target would hold less than
 * the source says. Throws `arrays_corrupt` or `arrays_missing`, as the first such file is, naming files and datasets.
 */
export const refuseUnreadableSource = async (engine: Engine, { index, resolved }: MergeSource): Promise<void> => {
  const catalog = `source_${index}.main`
  const files = await engine.rows(
    Unreadable,
    `SELECT m.array_source AS path, any_value(f.error) AS error, list(DISTINCT p.dataset_name ORDER BY p.dataset_name) AS datasets
     FROM ${ofSource(index, 'matched')} m JOIN ${catalog}.predictions p ON p.prediction_id = m.id LEFT JOIN ${catalog}.array_files f ON f.path = m.array_source
     WHERE m.action = 'insert' AND NOT p.has_arrays AND m.array_source IS NOT NULL AND m.array_source NOT IN ('table', 'bak')
     GROUP BY m.array_source ORDER BY path`,
  )
  const told = files.map(({ error, ...file }) => ({ ...file, reason: error === null ? ('missing' as const) : ('damaged' as const) }))
  const [first] = told
  if (first === undefined) return
  throw new StorageError(
    first.reason === 'missing' ? 'arrays_missing' : 'arrays_corrupt',
    `In ${resolved.name}, ${unreadableText(told)} Nothing was changed.`,
    { path: first.path, hint: 'Restore the files from a backup, or merge the other datasets only.' },
  )
}
