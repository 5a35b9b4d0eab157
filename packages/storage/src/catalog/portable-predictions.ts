import { openParquet } from '../arrays/parquet-file.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import type { ArrayIndex, IndexedFile } from './array-index.ts'

const portableColumns = ['dataset_name', 'model_name', 'fold_id', 'partition', 'metric', 'val_score', 'task_type'] as const

/** The columns of `portable_rows`, all that a Parquet file tells about a prediction besides its arrays. */
export const portableRowColumns: ReadonlySet<string> = new Set(['prediction_id', ...portableColumns])

/**
 * Predictions of a workspace without a store, in the temporary table `portable_rows`: the rows of the Parquet files themselves, without
 * removed ones, of duplicates the last. A lone file that cannot be read throws `store_unreadable`, one with a row per sample
 * `not_a_workspace`; among several it is a finding.
 */
export const readPortableRows = async (engine: Engine, resolved: ResolvedWorkspace, index: ArrayIndex): Promise<void> => {
  refuseLoneDamage(resolved, index)
  await refuseLoneSamples(engine, resolved, index)
  const types = portableColumns.map((name) => `${name} ${name === 'val_score' ? 'DOUBLE' : 'VARCHAR'}`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE portable_rows (prediction_id VARCHAR, ${types.join(', ')})`)
  for (const file of index.files) if (file.error === null) await readFile(engine, resolved.root, file)
}

const refuseLoneDamage = (resolved: ResolvedWorkspace, index: ArrayIndex): void => {
  const [file] = index.files
  if (resolved.parquet === null || (file !== undefined && file.error === null)) return
  throw new StorageError('store_unreadable', file?.error ?? `${resolved.name} is not a regular file and was not read.`, {
    path: resolved.parquet,
    hint: 'Restore the file from a backup, or export it again.',
  })
}

/** Our own exports with one row per sample have the same columns, without lists: they are sound, and hold no arrays. */
const refuseLoneSamples = async (engine: Engine, { root, name, parquet }: ResolvedWorkspace, { files }: ArrayIndex): Promise<void> => {
  const [file] = files
  if (parquet === null || file === undefined) return
  const { columns, close } = await openParquet(engine, root, file.path)
  await close()
  if (columns.get('y_true') !== 'DOUBLE' || columns.get('y_pred') !== 'DOUBLE') return
  throw new StorageError('not_a_workspace', `${name} has one row per sample, and no arrays of predictions. It was not changed.`, {
    path: parquet,
    hint: 'Export again with one row per prediction, or read this file with another program.',
  })
}

const readFile = async (engine: Engine, root: string, file: IndexedFile): Promise<void> => {
  const parquet = await openParquet(engine, root, file.path)
  try {
    const list = portableColumns.map((name) => {
      if (!parquet.columns.has(name)) return 'NULL'
      return name === 'val_score' ? 'TRY_CAST(f.val_score AS DOUBLE)' : `f.${name}::VARCHAR`
    })
    await engine.run(
      `INSERT INTO portable_rows SELECT f.prediction_id, ${list.join(', ')} FROM ${parquet.relation} f
       JOIN array_places a ON a.prediction_id = f.prediction_id AND a.path = $path AND a.position = f.file_row_number`,
      { path: file.path },
    )
  } finally {
    await parquet.close()
  }
}
