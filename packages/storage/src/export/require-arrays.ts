import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'

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
