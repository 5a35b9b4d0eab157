import type { Finding } from '@nirs-workspace/types'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { readSourceTables, type SourceTables, sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { arraysTable } from '../migration/store-schema.ts'
import { tableDigest } from '../migration/table-digest.ts'
import { openSqlite } from '../sqlite/open-sqlite.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

/** Reads the metadata (every block of it when deep) and notes the ids it knows. A store that cannot be read is a finding. */
export const checkMetadata = async (engine: Engine, resolved: ResolvedWorkspace, depth: 'quick' | 'deep'): Promise<Finding[]> => {
  try {
    if (resolved.sqlite !== null) await checkSqlite(engine, resolved.sqlite)
    else if (resolved.duckdb !== null) await withAttachedStore(engine, resolved.duckdb, sourceAlias, () => checkDuckdb(engine, depth))
    return []
  } catch (error) {
    if (isStorageError(error, 'store_unreadable')) return [{ code: 'store_unreadable', severity: 'error', count: 1, detail: error.message }]
    throw error
  }
}

const checkDuckdb = async (engine: Engine, depth: 'quick' | 'deep'): Promise<void> => {
  const tables = await readSourceTables(engine, sourceAlias)
  if (tables.has('predictions')) {
    await engine.run(`INSERT INTO memory.main.known SELECT prediction_id, dataset_name, fold_id FROM ${sourceTable('predictions')}`)
  }
  if (tables.has(arraysTable)) await collectTableRows(engine, tables)
  if (depth === 'quick') return
  // Every value passes through, so that DuckDB compares the checksum of every block.
  for (const [name, columns] of tables) {
    await tableDigest(
      engine,
      sourceTable(name),
      columns.map((column) => column.name),
    )
  }
}

const collectTableRows = (engine: Engine, tables: SourceTables): Promise<void> => {
  const length = (name: string) => (tables.get(arraysTable)?.some((column) => column.name === name) ? `len(a.${name})` : 'NULL::BIGINT')
  return engine.run(`INSERT INTO memory.main.array_rows
    SELECT 'prediction_arrays', a.rowid, a.prediction_id, p.dataset_name, p.fold_id, ${length('y_true')}, ${length('y_pred')},
      ${length('y_proba')}, ${length('sample_indices')}, NULL
    FROM ${sourceTable(arraysTable)} a LEFT JOIN ${sourceTable('predictions')} p ON p.prediction_id = a.prediction_id`)
}

const checkSqlite = async (engine: Engine, path: string): Promise<void> => {
  const store = await openSqlite(path)
  try {
    const rows = store.database.prepare('SELECT prediction_id, dataset_name, fold_id FROM predictions').all()
    for (let start = 0; start < rows.length; start += 2000) {
      const values = rows
        .slice(start, start + 2000)
        .map((row) => `(${[row.prediction_id, row.dataset_name, row.fold_id].map((value) => quotedString(String(value))).join(', ')})`)
      await engine.run(`INSERT INTO memory.main.known VALUES ${values.join(', ')}`)
    }
  } finally {
    await store.close()
  }
}
