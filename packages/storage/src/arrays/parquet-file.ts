import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { type PinnedFile, pinFile } from './pin-file.ts'

/** A pinned Parquet file as a relation of the engine. */
export interface ParquetFile {
  /** A table function call for FROM, with the column `file_row_number` added. */
  readonly relation: string
  readonly pinned: PinnedFile
  /** Bytes of a row before compression, on average over the row group with the largest. */
  rowBytes(): Promise<number>
  /** The columns of the file and their DuckDB types, in order. */
  readonly columns: ReadonlyMap<string, string>
  close(): Promise<void>
}

const Described = z.object({ column_name: z.string(), column_type: z.string() })

/** Opens one exact file of a workspace; `path` is relative to `root`. */
export const openParquet = async (engine: Engine, root: string, path: string): Promise<ParquetFile> => {
  const pinned = await pinFile(root, path)
  try {
    await engine.expect((await pinned.handle.stat()).size)
    const relation = parquetRelation(pinned)
    const rows = await engine.rows(Described, `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${relation})`)
    const columns = new Map(rows.map((row) => [row.column_name, row.column_type]))
    columns.delete('file_row_number')
    if (columns.get('prediction_id') !== 'VARCHAR') throw new Error('it has no column prediction_id')
    return { relation, pinned, columns, rowBytes: () => rowBytes(engine, pinned), close: () => pinned.close() }
  } catch (error) {
    await pinned.close()
    throw damaged(path, error)
  }
}

const RowBytes = z.object({ bytes: z.number() })

const rowBytes = async (engine: Engine, { enginePath }: PinnedFile): Promise<number> => {
  const sql = `SELECT coalesce(max(bytes), 0) AS bytes
    FROM (SELECT max(row_group_bytes) / greatest(max(row_group_num_rows), 1) AS bytes FROM parquet_metadata($enginePath) GROUP BY row_group_id)`
  return (await engine.one(RowBytes, sql, { enginePath })).bytes
}

/** What a failed read of a Parquet file is called; coded errors and cancellation pass through. */
export const damaged = (path: string, error: unknown): unknown => {
  // The engine throws plain errors; what has a name of its own is coded, cancelled or a bug.
  if (!(error instanceof Error) || error.name !== 'Error') return error
  const reason = (error.message.split('\n')[0] ?? '').replace(/\/proc\/self\/fd\/\d+/g, path).slice(0, 300)
  return new StorageError(
    'arrays_corrupt',
    `${path} cannot be read: ${reason}. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup; `verify` lists every damaged file.' },
    error,
  )
}

/** A pinned file as a table function call, with the column `file_row_number` added. */
export const parquetRelation = (file: PinnedFile): string => {
  const quoted = `'${file.enginePath.replaceAll("'", "''")}'`
  return `read_parquet(${quoted}, file_row_number = true, hive_partitioning = false, binary_as_string = false)`
}
