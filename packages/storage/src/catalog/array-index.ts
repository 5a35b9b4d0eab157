import * as z from 'zod'
import { damaged, openParquet } from '../arrays/parquet-file.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'
import { appendColumns } from '../engine/append-columns.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { type ArrayFile, listArrayFiles } from '../workspace/array-files.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

/** A Parquet file and what became of reading its ids. */
export interface IndexedFile extends ArrayFile {
  readonly rows: number
  readonly error: string | null
}

export interface ArrayIndex {
  readonly files: readonly IndexedFile[]
  readonly tombstones: number
  readonly tombstonesCorrupt: boolean
}

/**
 * Where the rows of all Parquet files are, in temporary tables of the engine:
 * `array_rows(prediction_id, dataset_name, file, position, removed)`, `file` counting `files` from 0 and `removed` marking tombstoned ids;
 * `array_places(prediction_id, path, position, copies)`, one row per id that is not removed: the last of its duplicates.
 * Reads the two text columns of each file and nothing else. A file that cannot be read has an `error`; the others are read all the same.
 */
export const indexArrays = async (engine: Engine, resolved: ResolvedWorkspace): Promise<ArrayIndex> => {
  const tombstones = await loadTombstones(engine, resolved.arrays)
  await engine.run(
    'CREATE OR REPLACE TEMP TABLE array_rows (prediction_id VARCHAR, dataset_name VARCHAR, file INTEGER, position BIGINT, removed BOOLEAN)',
  )
  const files: IndexedFile[] = []
  for (const file of await listArrayFiles(resolved)) files.push(await indexFile(engine, resolved.root, file, files.length))
  await engine.run('CREATE OR REPLACE TEMP TABLE array_file_names (file INTEGER, path VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'array_file_names' }, [
    { type: 'integer', values: files.map((_, index) => index) },
    { type: 'varchar', values: files.map((file) => file.path) },
  ])
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE array_places AS
     SELECT prediction_id, path, place.position AS position, copies FROM (
       SELECT prediction_id, max({file: file, position: position}) AS place, count(*) AS copies
       FROM array_rows WHERE NOT removed GROUP BY prediction_id) JOIN array_file_names n ON n.file = place.file`,
  )
  return { files, tombstones: tombstones?.size ?? 0, tombstonesCorrupt: tombstones === null }
}

const loadTombstones = async (engine: Engine, folder: string): Promise<ReadonlyMap<string, string> | null> => {
  const tombstones = await readTombstonesIfSound(folder)
  await engine.run('CREATE OR REPLACE TEMP TABLE removed_ids (prediction_id VARCHAR)')
  await appendColumns(engine, { alias: 'temp', table: 'removed_ids' }, [{ type: 'varchar', values: [...(tombstones?.keys() ?? [])] }])
  return tombstones
}

const indexFile = async (engine: Engine, root: string, file: ArrayFile, index: number): Promise<IndexedFile> => {
  try {
    const parquet = await openParquet(engine, root, file.path)
    try {
      const dataset = parquet.columns.has('dataset_name') ? "coalesce(dataset_name::VARCHAR, '')" : "''"
      await engine.run(
        `INSERT INTO array_rows SELECT prediction_id, ${dataset}, ${index}, file_row_number,
           prediction_id IN (SELECT prediction_id FROM removed_ids)
         FROM ${parquet.relation} WHERE prediction_id IS NOT NULL`,
      )
    } finally {
      await parquet.close()
    }
    const { n } = await engine.one(z.object({ n: z.number() }), `SELECT count(*) AS n FROM array_rows WHERE file = ${index}`)
    return { ...file, rows: n, error: null }
  } catch (thrown) {
    const error = damaged(file.path, thrown)
    if (isStorageError(error, 'arrays_corrupt', 'arrays_missing')) return { ...file, rows: 0, error: error.message }
    throw error
  }
}
