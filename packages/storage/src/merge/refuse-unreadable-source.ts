import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import type { MergeSource } from './open-merge.ts'
import { ofSource } from './source-views.ts'

const most = 5

const Unreadable = z.object({ path: z.string(), error: z.string().nullable(), datasets: z.array(z.string()), predictions: z.number() })

/**
 * Refuses a source of which its catalog knows that arrays of what would come cannot be read: without them the target would hold less than
 * the source says. Throws `arrays_corrupt` or `arrays_missing`, as the first such file is, naming files and datasets.
 */
export const refuseUnreadableSource = async (engine: Engine, { index, resolved }: MergeSource): Promise<void> => {
  const catalog = `source_${index}.main`
  const files = await engine.rows(
    Unreadable,
    `SELECT m.array_source AS path, any_value(f.error) AS error, list(DISTINCT p.dataset_name ORDER BY p.dataset_name) AS datasets,
       count(*) AS predictions
     FROM ${ofSource(index, 'matched')} m JOIN ${catalog}.predictions p ON p.prediction_id = m.id LEFT JOIN ${catalog}.array_files f ON f.path = m.array_source
     WHERE m.action = 'insert' AND NOT p.has_arrays AND m.array_source IS NOT NULL AND m.array_source NOT IN ('table', 'bak')
     GROUP BY m.array_source ORDER BY path`,
  )
  const [first] = files
  if (first === undefined) return
  const told = files.slice(0, most).map(({ path, error, datasets, predictions }) => {
    const names = datasets.slice(0, most).map((name) => JSON.stringify(name))
    const state = error === null ? 'is not there' : 'is damaged'
    return `${path} ${state}, with the arrays of ${predictions} of the predictions of ${names.join(', ')}`
  })
  const more = files.length > most ? `; ${files.length - most} more files` : ''
  throw new StorageError(
    first.error === null ? 'arrays_missing' : 'arrays_corrupt',
    `In ${resolved.name}, ${told.join('; ')}${more}. Nothing was changed.`,
    { path: first.path, hint: 'Restore the files from a backup, or merge the other datasets only.' },
  )
}
