import { type ArrayRef, type Catalog, StorageError } from '@nirs-workspace/storage'
import * as z from 'zod'

const Ref = z.object({ prediction_id: z.string(), array_source: z.string().nullable(), n_samples: z.number().nullable() })
const Described = Ref.extend({
  dataset_name: z.string(),
  model_name: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  metric: z.string(),
  task_type: z.string(),
})

/** Where the arrays of these predictions lie; an id that the catalog does not know has none. */
export const findArrayRefs = async (catalog: Catalog, ids: readonly string[]): Promise<ArrayRef[]> => {
  const sql = `SELECT prediction_id, array_source, n_samples FROM catalog.predictions
    WHERE prediction_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`
  // Half a character cannot be stored, and DuckDB takes it for broken JSON.
  const storable = ids.filter((id) => id.isWellFormed())
  const known = await catalog.engine.rows(Ref, sql, { ids: JSON.stringify(storable) })
  const refs = new Map(known.map((ref) => [ref.prediction_id, ref]))
  return [...new Set(ids)].map((id) => refs.get(id) ?? { prediction_id: id, array_source: null })
}

/** What is needed to draw one prediction. Throws `prediction_not_found`. */
export const findDescribedPrediction = async (catalog: Catalog, id: string): Promise<z.output<typeof Described>> => {
  const columns = Object.keys(Described.shape).join(', ')
  // A LIMIT would keep DuckDB from using its index.
  const [found] = await catalog.engine.rows(Described, `SELECT ${columns} FROM catalog.predictions WHERE prediction_id = $id`, { id })
  if (found === undefined) throw new StorageError('prediction_not_found', `There is no prediction ${JSON.stringify(id.slice(0, 200))}.`)
  return found
}
