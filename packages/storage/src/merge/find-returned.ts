import * as z from 'zod'
import { ArrayFolder } from '../array-store/array-folder.ts'
import { withLazyEngine } from '../array-store/lazy-engine.ts'
import { findRemovedElsewhere, type RowIdentity } from '../array-store/removed-elsewhere.ts'
import { readTombstones } from '../arrays/tombstones.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { comingArrays } from './incoming-arrays.ts'
import type { OpenMerge } from './open-merge.ts'

const Returned = z.object({ prediction_id: z.string(), dataset_name: z.string() })

/**
 * Predictions whose arrays come under an id that the list of removed ones has: under its mark nobody would see them.
 * Throws `arrays_corrupt` when a file cannot tell whether it has further rows of such an id, which would come back with them.
 */
export const findReturned = async ({ engine, sources, target }: OpenMerge): Promise<RowIdentity[]> => {
  if (target === null) return []
  const { root, arrays } = target.resolved
  await engine.run('CREATE TABLE memory.main.marked (id VARCHAR)')
  await appendColumns(engine, { alias: 'memory', table: 'marked' }, [
    { type: 'varchar', values: [...(await readTombstones(arrays)).keys()] },
  ])
  const coming = sources.map(({ index }) => `SELECT new_id, dataset_name FROM (${comingArrays(index)})`).join(' UNION ALL ')
  const returned = await engine.rows(
    Returned,
    `SELECT new_id AS prediction_id, dataset_name FROM (${coming}) WHERE new_id IN (SELECT id FROM memory.main.marked) ORDER BY ALL`,
  )
  if (returned.length > 0) await withLazyEngine((lazy) => findRemovedElsewhere({ folder: new ArrayFolder(root), engine: lazy }, returned))
  return returned
}
