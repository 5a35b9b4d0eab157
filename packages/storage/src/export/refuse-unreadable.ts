import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import { unreadableText } from '../catalog/unreadable-text.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { PREDICTIONS, readRows, type SqlPart } from '../predictions/catalog-reader.ts'
import { readText } from '../predictions/value-reader.ts'

/**
 * Refuses an export of which the catalog knows already that it would break: rows of these datasets under the filter whose arrays lie in a
 * file that is damaged or not there. Throws `arrays_corrupt` or `arrays_missing`, as the first such file is, naming files and datasets.
 */
export const refuseUnreadable = async (engine: Engine, datasets: readonly string[], where: SqlPart): Promise<void> => {
  const sql = `SELECT DISTINCT array_source AS path, dataset_name FROM (SELECT * FROM ${PREDICTIONS} ${where.sql})
    WHERE NOT has_arrays AND array_source IS NOT NULL AND dataset_name IN (SELECT unnest(from_json($export_datasets, '["VARCHAR"]')))
    ORDER BY path, dataset_name`
  const query = { sql, parameters: { ...where.parameters, export_datasets: JSON.stringify(datasets) } }
  const rows = await readRows({ engine }, query, (value) => ({ path: readText(value(0)), dataset_name: readText(value(1)) }))
  if (rows.length === 0) return
  const byPath = Map.groupBy(rows, ({ path }) => path)
  const files = (await listUnreadableFiles(engine)).filter(({ path }) => byPath.has(path))
  const told = files.map((file) => ({ ...file, datasets: byPath.get(file.path)?.map(({ dataset_name }) => dataset_name) ?? [] }))
  const [first] = told
  if (first === undefined) return
  throw new StorageError(first.reason === 'damaged' ? 'arrays_corrupt' : 'arrays_missing', `${unreadableText(told)} Nothing was written.`, {
    path: first.path,
    hint: `Export without ${told.length === 1 ? 'what lies in this file' : 'what lies in these files'}, or restore ${told.length === 1 ? 'it' : 'them'} from a backup.`,
  })
}
