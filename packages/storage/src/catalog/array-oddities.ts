import { arrayFileName } from '../arrays/file-name.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import type { ArrayIndex } from './array-index.ts'

/** `hasFile`: a Parquet file of this dataset must be there, whoever damaged or moved it. */
export interface ExpectedDataset {
  readonly name: string
  readonly hasFile: boolean
}

/**
 * For each dataset whose Parquet file is damaged or not there: that file, by the library's rule of names, in the temporary table
 * `unreadable_files`. What the file held is unknown; the catalog points the predictions that have their arrays nowhere else to it, so that
 * reading these fails with the reason instead of finding nothing.
 */
export const expectInUnreadableFiles = async (engine: Engine, index: ArrayIndex, datasets: readonly ExpectedDataset[]): Promise<void> => {
  const errors = new Map(index.files.map((file) => [file.path, file.error]))
  const affected = datasets
    .map(({ name, hasFile }) => ({ name, hasFile, path: `arrays/${arrayFileName(name)}` }))
    .filter(({ hasFile, path }) => (errors.has(path) ? errors.get(path) !== null : hasFile))
  await engine.run('CREATE OR REPLACE TEMP TABLE unreadable_files (dataset_name VARCHAR, path VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'unreadable_files' }, [
    { type: 'varchar', values: affected.map(({ name }) => name) },
    { type: 'varchar', values: affected.map(({ path }) => path) },
  ])
}

/** Fills the tables about array files; `catalog.predictions` must be complete. */
export const fillArrayTables = async (engine: Engine, index: ArrayIndex, isPortable: boolean, ownTable: boolean): Promise<void> => {
  const { files } = index
  await appendColumns(engine, { alias: 'catalog', table: 'array_files' }, [
    { type: 'varchar', values: files.map((file) => file.path) },
    { type: 'bigint', values: files.map((file) => file.bytes) },
    { type: 'bigint', values: files.map((file) => file.rows) },
    { type: 'varchar', values: files.map((file) => file.error) },
  ])
  await engine.run(
    'INSERT INTO catalog.array_file_datasets SELECT path, dataset_name, count(*) FROM array_rows JOIN array_file_names USING (file) GROUP BY ALL',
  )
  const unknown = 'prediction_id NOT IN (SELECT prediction_id FROM catalog.predictions)'
  const oddities = [
    "SELECT 'duplicate', prediction_id, path, copies FROM array_places WHERE copies > 1",
    "SELECT 'tombstoned', prediction_id, min(path), count(*) FROM array_rows JOIN array_file_names USING (file) WHERE removed GROUP BY prediction_id",
    ...(isPortable ? [] : [`SELECT 'orphan', prediction_id, path, copies FROM array_places WHERE ${unknown}`]),
    ...(ownTable
      ? [`SELECT 'row_without_metadata', prediction_id, NULL, count(*) FROM table_ids WHERE ${unknown} GROUP BY prediction_id`]
      : []),
  ]
  for (const query of oddities) await engine.run(`INSERT INTO catalog.array_oddities ${query}`)
}
