import { type ArrayRef, type Catalog, StorageError } from '@nirs-workspace/storage'
import * as z from 'zod'

const Ref = z.object({
  prediction_id: z.string(),
  array_source: z.string().nullable(),
  n_samples: z.number().nullable(),
  /** NaN and infinities among them. */
  val_score: z.custom<number | null>(),
})
const refColumns = Object.keys(Ref.shape).join(', ')
const FileSize = z.object({ path: z.string(), bytes: z.number() })

/** Sizes of the array files as the catalog has them. A catalog never changes. */
const sizesOf = new WeakMap<Catalog, Promise<ReadonlyMap<string, number>>>()

const fileSizes = (catalog: Catalog): Promise<ReadonlyMap<string, number>> => {
  const known = sizesOf.get(catalog)
  if (known !== undefined) return known
  const sizes = catalog.engine
    .rows(FileSize, 'SELECT path, bytes FROM catalog.array_files')
    .then((files) => new Map(files.map(({ path, bytes }) => [path, bytes])))
  sizesOf.set(catalog, sizes)
  sizes.catch(() => sizesOf.delete(catalog))
  return sizes
}

const withSize = async (catalog: Catalog, ref: z.output<typeof Ref>): Promise<ArrayRef> => ({
  ...ref,
  file_bytes: ref.array_source === null ? null : ((await fileSizes(catalog)).get(ref.array_source) ?? null),
})

const Row = z.object({
  dataset_name: z.string(),
  model_name: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  metric: z.string(),
  task_type: z.string(),
})

/** A prediction to draw, and where its arrays are. */
export interface DescribedPrediction {
  readonly ref: ArrayRef
  readonly row: z.output<typeof Row> & { readonly prediction_id: string }
}

/** Where the arrays of these predictions lie; an id that the catalog does not know has none. */
export const findArrayRefs = async (catalog: Catalog, ids: readonly string[]): Promise<ArrayRef[]> => {
  const sql = `SELECT ${refColumns} FROM catalog.predictions
    WHERE prediction_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`
  // Half a character cannot be stored, and DuckDB takes it for broken JSON.
  const storable = ids.filter((id) => id.isWellFormed())
  const known = await catalog.engine.rows(Ref, sql, { ids: JSON.stringify(storable) })
  const refs = new Map<string, ArrayRef>()
  for (const ref of known) refs.set(ref.prediction_id, await withSize(catalog, ref))
  return [...new Set(ids)].map((id) => refs.get(id) ?? { prediction_id: id, array_source: null })
}

/** What is needed to draw one prediction. Throws `prediction_not_found`. */
export const findDescribedPrediction = async (catalog: Catalog, id: string): Promise<DescribedPrediction> => {
  const columns = [refColumns, ...Object.keys(Row.shape)].join(', ')
  // A LIMIT would keep DuckDB from using its index.
  const [found] = await catalog.engine.rows(Ref.extend(Row.shape), `SELECT ${columns} FROM catalog.predictions WHERE prediction_id = $id`, {
    id,
  })
  if (found === undefined) throw new StorageError('prediction_not_found', `There is no prediction ${JSON.stringify(id.slice(0, 200))}.`)
  return { ref: await withSize(catalog, Ref.parse(found)), row: { prediction_id: id, ...Row.parse(found) } }
}
