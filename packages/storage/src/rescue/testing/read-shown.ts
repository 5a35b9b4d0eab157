import * as z from 'zod'
import { bitsOf } from '../../array-store/testing/made-records.ts'
import { withArrayReader } from '../../arrays/array-reader.ts'
import { buildCatalog } from '../../catalog/build-catalog.ts'
import { attachReadOnly } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { temporaryFolder } from '../../testing/make-store.ts'
import { resolveWorkspace } from '../../workspace/resolve-workspace.ts'

const Shown = z.object({ prediction_id: z.string(), array_source: z.string().nullable() })

/** Of every prediction the arrays that are shown of it, to the bit (null: none), and which places they come from. */
export const readShown = async (path: string): Promise<{ arrays: Record<string, string | null>; places: string[] }> => {
  await using cache = await temporaryFolder()
  const resolved = await resolveWorkspace(path)
  const file = await buildCatalog(resolved, { cacheFolder: cache.path })
  const refs = await withEngine({}, async (engine) => {
    await attachReadOnly(engine, file.path, 'catalog')
    return engine.rows(Shown, 'SELECT prediction_id, array_source FROM catalog.main.predictions ORDER BY prediction_id')
  })
  const arrays: Record<string, string | null> = Object.fromEntries(refs.map(({ prediction_id }) => [prediction_id, null]))
  await withArrayReader({}, async (reader) => {
    for await (const rows of reader.load(resolved, refs)) {
      for (const { prediction_id, y_true, y_pred, y_proba, y_proba_shape, sample_indices, weights } of rows)
        arrays[prediction_id] = JSON.stringify([[y_true, y_pred, y_proba, sample_indices, weights].map(bitsOf), y_proba_shape])
    }
  })
  return { arrays, places: [...new Set(refs.flatMap(({ array_source }) => array_source ?? []))].sort() }
}
