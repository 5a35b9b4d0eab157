import type { ArrayPlaces } from '../arrays/array-reader.ts'
import { foreignArrays } from '../arrays/fits-samples.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { StorageError } from '../errors.ts'
import { fillPlan } from '../export/export-plan.ts'
import { exportQuery, foreignIn, probeArrays } from '../export/export-query.ts'
import { openExportSources } from '../export/export-sources.ts'
import { refuseResavedRows, requireArrays } from '../export/require-arrays.ts'

const columns = [
  'prediction_id',
  'dataset_name',
  'model_name',
  'fold_id',
  '"partition"',
  'position',
  'target',
  'sample_index',
  'y_true',
  'y_pred',
  'error',
].join(', ')

/** The view `samples` of an engine, as long as it is open. */
export interface Samples {
  /** What an error is that says that a row does not hold its own arrays; null for any other. */
  foreign(error: unknown): StorageError | null
}

/**
 * Makes the view `samples`: the arrays of all predictions that have some, in the sample layout of exports, read when they are asked for. The
 * files stay open as they are and were compared with their checksums first: nobody can tell a flipped bit afterwards. Of all files of this
 * machine, these alone may be read once external access is off. The catalog must be attached as `catalog`. Throws `arrays_corrupt`,
 * `arrays_missing`, also for rows that have gone since the catalog was made, `interrupted` for those that were saved again, `store_locked`.
 */
export const makeSamplesView = async (engine: Engine, places: ArrayPlaces): Promise<Samples> => {
  const from = { sql: 'catalog.main.predictions WHERE array_source IS NOT NULL', parameters: {} }
  const plan = await fillPlan(engine, places.arrays, from)
  const sources = await openExportSources(engine, places, plan.table)
  await requireArrays(engine, plan.table)
  await refuseResavedRows(engine, plan.table, sources)
  await engine.run(probeArrays)
  await engine.run(`CREATE VIEW memory.main.samples AS SELECT ${columns} FROM (${exportQuery('sample', plan.table, sources).sql})`)
  const paths = sources.flatMap((source) => source.paths).map(quotedString)
  if (paths.length > 0) await engine.run(`SET allowed_paths = [${paths.join(', ')}]`)
  return {
    foreign: (error) => {
      const found = error instanceof Error ? foreignIn(sources, error.message) : null
      return found === null ? null : foreignArrays(found.place, [found.id])
    },
  }
}
