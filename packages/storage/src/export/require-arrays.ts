import * as z from 'zod'
import { resaved } from '../arrays/refuse-resaved.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { readIds } from '../maintenance/read-texts.ts'
import type { ExportSource } from './export-sources.ts'

const Lost = z.object({ prediction_id: z.string() })
const Count = z.object({ count: z.number() })

/**
 * Refuses a plan of which a place no longer holds arrays that it held when the catalog was made: they would come out as if there had never
 * been any. `openExportSources` must have filled it. Throws `arrays_missing`.
 */
export const requireArrays = async (engine: Engine, plan: string): Promise<void> => {
  const lost = `FROM ${plan} WHERE array_source IS NOT NULL AND array_row IS NULL`
  const { count } = await engine.one(Count, `SELECT count(*) AS count ${lost}`)
  if (count === 0) return
  const ids = (await engine.rows(Lost, `SELECT prediction_id ${lost} ORDER BY prediction_id LIMIT 100`)).map((row) => row.prediction_id)
  const others = count > 1 ? ` and ${count - 1} more` : ''
  throw new StorageError(
    'arrays_missing',
    `The arrays of prediction ${ids[0]}${others} are no longer where they were when the workspace was last read: another program may be writing there. Nothing was changed.`,
    { ids, hint: 'Open the workspace again when nothing else works on it; `verify` names arrays that stay missing.' },
  )
}

/**
 * Refuses (`interrupted`) a plan whose rows are in a file beside other scores than the catalog has: they were saved again since it was made.
 * Looked at only where a file no longer has the size that it had. The catalog must be attached as `catalog`.
 */
export const refuseResavedRows = async (engine: Engine, plan: string, sources: readonly ExportSource[]): Promise<void> => {
  for (const { place, relation, join, columns, bytes } of sources) {
    if (bytes === null || !columns.has('val_score')) continue
    const ids = await readIds(
      engine,
      `SELECT m.prediction_id FROM ${plan} AS m JOIN ${relation} AS a ON ${join}
       WHERE m.array_source = ${quotedString(place)} AND m.array_row IS NOT NULL AND a.val_score::DOUBLE <> m.val_score
         AND (SELECT max(f.bytes) FROM catalog.array_files f WHERE f.path = ${quotedString(place)}) <> ${bytes}`,
    )
    if (ids.length > 0) throw resaved(place, ids)
  }
}
