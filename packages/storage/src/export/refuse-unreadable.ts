import type { UnreadableFile } from '@nirs-workspace/types'
import { listUnreadableFiles } from '../catalog/unreadable-files.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { PREDICTIONS, readRows, type SqlPart } from '../predictions/catalog-reader.ts'
import { readText } from '../predictions/value-reader.ts'

const most = 5

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
  throw new StorageError(first.reason === 'damaged' ? 'arrays_corrupt' : 'arrays_missing', `${listed(told)} Nothing was written.`, {
    path: first.path,
    hint: `Export without ${told.length === 1 ? 'what lies in this file' : 'what lies in these files'}, or restore ${told.length === 1 ? 'it' : 'them'} from a backup.`,
  })
}

const listed = (files: readonly Pick<UnreadableFile, 'path' | 'reason' | 'datasets'>[]): string => {
  const sentences = files.slice(0, most).map(({ path, reason, datasets }) => {
    const names = datasets.slice(0, most).map((name) => JSON.stringify(name))
    const more = datasets.length > most ? ` and ${datasets.length - most} more datasets` : ''
    return `${path} ${reason === 'damaged' ? 'is damaged' : 'is not there'}: the arrays of ${names.join(', ')}${more} cannot be read.`
  })
  return [...sentences, ...(files.length > most ? [`So it is with ${files.length - most} more files.`] : [])].join(' ')
}
