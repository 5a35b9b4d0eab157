import * as z from 'zod'
import { misfitSql } from '../arrays/fits-samples.ts'
import { damaged, openParquet, type ParquetFile } from '../arrays/parquet-file.ts'
import { isStorageError } from '../errors.ts'
import { selectOr } from '../migration/array-columns.ts'
import { columnOr, type OpenWorkspace, storeAlias } from './maintenance-workspace.ts'

const ForeignRow = z.object({
  id: z.string(),
  dataset_name: z.string(),
  position: z.number(),
  /** Values that it has. */
  values: z.number(),
})

/** A row that has the id of a prediction, and another number of values than that has samples: the arrays of something else. */
export type ForeignRow = z.infer<typeof ForeignRow>

/** Which rows of a file are looked at: a condition on prediction_id. */
const looked = {
  all: 'true',
  repeated: `prediction_id IN (SELECT prediction_id FROM array_rows WHERE file = $file GROUP BY dataset_name, prediction_id HAVING count(*) > 1)`,
} as const

/** Such rows in one file of the index, in order. A file that cannot be read has none: it is not touched anyway. */
export const foreignRowsIn = async (open: OpenWorkspace, file: number, which: keyof typeof looked): Promise<ForeignRow[]> => {
  const path = open.index.files[file]?.path ?? ''
  if (!(await needsLook(open, file, which))) return []
  try {
    const parquet = await openParquet(open.engine, open.resolved.root, path)
    try {
      return await open.engine.rows(ForeignRow, foreignSql(open, parquet, which), which === 'all' ? {} : { file })
    } catch (error) {
      throw damaged(path, error)
    } finally {
      await parquet.close()
    }
  } catch (error) {
    if (isStorageError(error, 'arrays_corrupt', 'arrays_missing')) return []
    throw error
  }
}

const needsLook = async ({ engine, index }: OpenWorkspace, file: number, which: keyof typeof looked): Promise<boolean> => {
  if (index.files[file]?.error !== null) return false
  const { any } = await engine.one(
    z.object({ any: z.boolean() }),
    `SELECT count(*) > 0 AS "any" FROM array_rows WHERE file = $file AND ${looked[which]}`,
    { file },
  )
  return any
}

const foreignSql = (open: OpenWorkspace, { relation, columns }: ParquetFile, which: keyof typeof looked): string => {
  const length = (name: string) => selectOr(columns.has(name), `len(${name})`, name, 'BIGINT')
  const dataset = columns.has('dataset_name') ? "coalesce(dataset_name::VARCHAR, '')" : "''"
  const rows = `SELECT prediction_id, ${dataset} AS dataset_name, file_row_number AS position, ${length('y_true')}, ${length('y_pred')},
    ${length('sample_indices')} FROM ${relation} WHERE ${looked[which]}`
  const known = `SELECT prediction_id, ${columnOr(open, 'predictions', 'n_samples')} AS n_samples FROM ${storeAlias}.main.predictions`
  const lengths = { y_true: 'r.y_true', y_pred: 'r.y_pred', sample_indices: 'r.sample_indices' }
  return `SELECT r.prediction_id AS id, r.dataset_name, r.position, greatest(coalesce(r.y_true, 0), coalesce(r.y_pred, 0)) AS values
    FROM (${rows}) r JOIN (${known}) k USING (prediction_id) WHERE ${misfitSql('k.n_samples', lengths)} ORDER BY r.position`
}

/** The ids by which compaction may lose arrays, by the number of their file. */
export const riskyDuplicates = async (open: OpenWorkspace): Promise<ReadonlyMap<number, string[]>> => {
  const risky = new Map<number, string[]>()
  for (const file of open.index.files.keys()) {
    const foreign = await foreignRowsIn(open, file, 'repeated')
    if (foreign.length === 0) continue
    const kept = await keptRows(open, file)
    const lost = await lostSizes(open)
    const ids = foreign.filter((row) => kept.has(row.position) || lost.has(sizeKey(row.dataset_name, row.values))).map(({ id }) => id)
    if (ids.length > 0) risky.set(file, [...new Set(ids)].sort())
  }
  return risky
}

/** Positions of the rows that compaction leaves of predictions with several. */
const keptRows = async ({ engine }: OpenWorkspace, file: number): Promise<ReadonlySet<number>> => {
  const rows = await engine.rows(
    z.object({ position: z.number() }),
    'SELECT max(position) AS position FROM array_rows WHERE file = $file GROUP BY dataset_name, prediction_id HAVING count(*) > 1',
    { file },
  )
  return new Set(rows.map(({ position }) => position))
}

const sizeKey = (dataset: string, samples: number): string => `${samples}:${dataset}`

/** What predictions without a row anywhere would have: a row of that size may be theirs under an id that has changed. */
const lostSizes = async (open: OpenWorkspace): Promise<ReadonlySet<string>> => {
  const rows = await open.engine.rows(
    z.object({ dataset_name: z.string(), samples: z.number() }),
    `SELECT DISTINCT dataset_name, samples FROM (SELECT coalesce(dataset_name, '') AS dataset_name,
       ${columnOr(open, 'predictions', 'n_samples')} AS samples, prediction_id FROM ${storeAlias}.main.predictions)
     WHERE samples > 0 AND prediction_id NOT IN (SELECT prediction_id FROM array_rows)`,
  )
  return new Set(rows.map(({ dataset_name, samples }) => sizeKey(dataset_name, samples)))
}
