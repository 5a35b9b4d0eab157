import { join } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { damaged, openParquet, type ParquetFile } from '../arrays/parquet-file.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { arrayFileColumns, selectOr } from '../migration/array-columns.ts'
import { readFooter, rowCount } from '../parquet/footer.ts'

/** The origin of rows that are in store.duckdb.bak. */
export const backupOrigin = 'store.duckdb.bak'

/**
 * Tables in the engine that the checks of all files fill: ids and lengths of every row there is, the ids the metadata knows, and the
 * datasets whose file is damaged or gone.
 */
export const createArrayTables = async (engine: Engine): Promise<void> => {
  await engine.run('CREATE TABLE memory.main.known(prediction_id VARCHAR, dataset_name VARCHAR, fold_id VARCHAR, n_samples BIGINT)')
  await engine.run('CREATE TABLE memory.main.legacy_tables(name VARCHAR)')
  await engine.run('CREATE TABLE memory.main.unreadable(dataset_name VARCHAR)')
  await engine.run(`CREATE TABLE memory.main.array_rows(origin VARCHAR, position BIGINT, prediction_id VARCHAR, dataset_name VARCHAR, fold_id VARCHAR,
    y_true BIGINT, y_pred BIGINT, y_proba BIGINT, sample_indices BIGINT, shape INTEGER[])`)
}

const required = ['prediction_id', 'dataset_name', 'y_true', 'y_pred'] as const

/** Footer, columns and lengths of one file. Throws `arrays_corrupt` when it cannot be read at all. */
export const checkArrayFile = async (engine: Engine, root: string, path: string): Promise<Finding[]> => {
  const footer = await readFooter(join(root, path))
  const file = await openParquet(engine, root, path)
  try {
    const findings = checkColumns(path, file)
    if (findings.length > 0) return findings
    await collectRows(engine, path, file)
    const { metadata } = footer
    return rowCount(metadata) === (await rowsIn(engine, path))
      ? []
      : [broken(path, 'its footer gives another number of rows than its pages')]
  } catch (error) {
    throw damaged(path, error)
  } finally {
    await file.close()
  }
}

const checkColumns = (path: string, file: ParquetFile): Finding[] => {
  const missing = required.filter((column) => !file.columns.has(column))
  if (missing.length > 0) return [broken(path, `it has no column ${missing.join(', ')}`)]
  const wrong = Object.entries(arrayFileColumns).filter(([name, type]) => file.columns.has(name) && file.columns.get(name) !== type)
  return wrong.length === 0
    ? []
    : [broken(path, wrong.map(([name, type]) => `${name} is ${file.columns.get(name)}, not ${type}`).join('; '))]
}

const broken = (path: string, what: string): Finding => ({
  code: 'corrupt_array_file',
  severity: 'error',
  count: 1,
  detail: `${path}: ${what}.`,
})

const collectRows = (engine: Engine, path: string, file: ParquetFile): Promise<void> => {
  const text = (name: string) => selectOr(file.columns.has(name), name, name, 'VARCHAR')
  const length = (name: string) => selectOr(file.columns.has(name), `len(${name})`, name, 'BIGINT')
  return engine.run(`INSERT INTO memory.main.array_rows SELECT ${quotedString(path)}, file_row_number, ${text('prediction_id')}, ${text('dataset_name')},
    ${text('fold_id')}, ${length('y_true')}, ${length('y_pred')}, ${length('y_proba')}, ${length('sample_indices')},
    ${selectOr(file.columns.has('y_proba_shape'), 'y_proba_shape', 'shape', 'INTEGER[]')} FROM ${file.relation}`)
}

const rowsIn = async (engine: Engine, path: string): Promise<number> => {
  const { rows } = await engine.one(Rows, 'SELECT count(*) AS rows FROM memory.main.array_rows WHERE origin = $path', { path })
  return rows
}

const Rows = z.object({ rows: z.number() })
