import { basename } from 'node:path'
import type { Finding } from '@nirs-workspace/types'
import * as z from 'zod'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { hasColumn, type SourceTables, sourceAlias, sourceTable } from '../migration/source-tables.ts'
import { arraysTable } from '../migration/store-schema.ts'
import { tableDigest } from '../migration/table-digest.ts'
import type { SqliteStore } from '../sqlite/open-sqlite.ts'
import { withSqlite } from '../sqlite/with-sqlite.ts'
import { MissingParent, missingParentsFinding, missingParentsSql } from '../workspace/find-missing-parents.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { checkStoreBlocks } from './store-blocks.ts'

export interface Depth {
  readonly depth: 'quick' | 'deep'
  readonly signal?: AbortSignal | undefined
}

export interface CheckedMetadata {
  readonly findings: Finding[]
  /** Whether it could be read which predictions there are. */
  readonly isKnown: boolean
}

/** Reads the metadata (every byte of a DuckDB store when deep) and notes the ids it knows. A store that cannot be read is a finding. */
export const checkMetadata = async (engine: Engine, resolved: ResolvedWorkspace, options: Depth): Promise<CheckedMetadata> => {
  const noted = { isKnown: false }
  const findings = await readMetadata(engine, resolved, options, noted)
  return { findings, ...noted }
}

interface Noted {
  isKnown: boolean
}

const readMetadata = async (engine: Engine, resolved: ResolvedWorkspace, options: Depth, noted: Noted): Promise<Finding[]> => {
  const { duckdb, sqlite } = resolved
  try {
    if (sqlite !== null) {
      return await withSqlite(sqlite, (database) => checkSqlite(engine, database, options.depth, noted))
    }
    if (duckdb === null) return []
    return await withAttachedStore(engine, duckdb, sourceAlias, async () => {
      const found = await checkDuckdb(engine, options.depth, noted)
      return [...found, ...(await checkBlocks(duckdb, options))]
    })
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isStorageError(error, 'store_locked')) throw error
    // Damage may make a store look like one of another release, or with objects in it that nobody writes.
    const damage = duckdb === null || sqlite !== null ? [] : await checkBlocks(duckdb, options)
    if (damage.length === 0 && !isStorageError(error, 'store_unreadable')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return [{ code: 'store_unreadable', severity: 'error', count: 1, detail: reason }, ...damage]
  }
}

/** The checksums of all blocks of a store when deep, also of indexes, which no query reads as a whole. */
export const checkBlocks = async (path: string, { depth, signal }: Depth): Promise<Finding[]> => {
  const found = depth === 'deep' ? await checkStoreBlocks(path, signal) : null
  if (found === null || found.headers.length + found.damaged.length === 0) return []
  const named = [...found.headers.map((header) => `header ${header}`), ...found.damaged.map((block) => `block ${block}`)]
  const which = `${named.slice(0, 10).join(', ')}${named.length > 10 ? ', …' : ''}`
  const detail = `${basename(path)}: the bytes of ${which} have changed since they were written. Restore the file from a backup.`
  return [{ code: 'store_blocks_damaged', severity: 'error', count: named.length, detail }]
}

const checkDuckdb = async (engine: Engine, depth: 'quick' | 'deep', noted: Noted): Promise<Finding[]> => {
  const tables = await attachedTables(engine, sourceAlias)
  if (tables.has('predictions')) {
    const samples = tables.get('predictions')?.some(({ name }) => name === 'n_samples') ? 'n_samples' : 'NULL'
    const predictions = `SELECT prediction_id, dataset_name, fold_id, ${samples} FROM ${sourceTable('predictions')}`
    await engine.run(`INSERT INTO memory.main.known ${predictions}`)
  }
  noted.isKnown = true
  if (tables.has(arraysTable)) {
    await engine.run(`INSERT INTO memory.main.legacy_tables VALUES ('${arraysTable}')`)
    await collectTableRows(engine, tables, arraysTable)
  }
  if (depth === 'deep') await readAllValues(engine, tables)
  return missingParentsFinding(
    await engine.rows(
      MissingParent,
      missingParentsSql((table, column) => hasColumn(tables, table, column), sourceTable),
    ),
  )
}

/** Every value of the attached store passes through, so that DuckDB compares the checksum of every block. */
export const readAllValues = async (engine: Engine, tables: SourceTables): Promise<void> => {
  for (const [name, columns] of tables) {
    await tableDigest(
      engine,
      sourceTable(name),
      columns.map((column) => column.name),
    )
  }
}

/**
 * Ids and lengths in the table prediction_arrays of the attached store; `known` must be filled. Where the lists cannot be read, it is thrown
 * why, and the ids are noted all the same: that arrays are there is known, though not what they are.
 */
export const collectTableRows = async (engine: Engine, tables: SourceTables, origin: string): Promise<void> => {
  const predictions = tables.has('predictions') ? sourceTable('predictions') : 'memory.main.known'
  const length = (name: string) => (tables.get(arraysTable)?.some((column) => column.name === name) ? `len(a.${name})` : 'NULL::BIGINT')
  const arrays = sourceTable(arraysTable)
  try {
    await engine.run(`INSERT INTO memory.main.array_rows
      SELECT ${quotedString(origin)}, a.rowid, a.prediction_id, p.dataset_name, p.fold_id, ${length('y_true')}, ${length('y_pred')},
        ${length('y_proba')}, ${length('sample_indices')}, NULL
      FROM ${arrays} a LEFT JOIN ${predictions} p ON p.prediction_id = a.prediction_id`)
  } catch (error) {
    await engine.run(
      `INSERT INTO memory.main.array_rows BY NAME SELECT ${quotedString(origin)} AS origin, rowid AS position, prediction_id FROM ${arrays}`,
    )
    throw error
  }
}

const checkSqlite = async (
  engine: Engine,
  database: SqliteStore['database'],
  depth: 'quick' | 'deep',
  noted: Noted,
): Promise<Finding[]> => {
  const rows = database.prepare('SELECT prediction_id, dataset_name, fold_id, n_samples FROM predictions').all()
  for (let start = 0; start < rows.length; start += 2000) {
    const values = rows.slice(start, start + 2000).map(({ prediction_id, dataset_name, fold_id, n_samples }) => {
      const texts = [prediction_id, dataset_name, fold_id].map((value) => quotedString(String(value)))
      return `(${texts.join(', ')}, ${n_samples === null ? 'NULL' : Number(n_samples)})`
    })
    await engine.run(`INSERT INTO memory.main.known VALUES ${values.join(', ')}`)
  }
  noted.isKnown = true
  const named = database.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?')
  const sql = missingParentsSql((table, column) => named.get(table, column) !== undefined, quotedIdentifier)
  const missing = missingParentsFinding(z.array(MissingParent).parse(database.prepare(sql).all()))
  return depth === 'deep' ? [...missing, ...checkPages(database)] : missing
}

const Remark = z.object({ integrity_check: z.string() })

/** Every page of a store.sqlite, indexes against their tables too. It has no checksums: another value in a row of the right form passes. */
const checkPages = (database: SqliteStore['database']): Finding[] => {
  const remarks = z.array(Remark).parse(database.prepare('PRAGMA integrity_check(100)').all())
  const found = remarks.map(({ integrity_check }) => integrity_check).filter((remark) => remark !== 'ok')
  if (found.length === 0) return []
  const detail = `SQLite finds damage in store.sqlite: ${found.slice(0, 5).join('; ')}. Restore the file from a backup.`
  return [{ code: 'store_unreadable', severity: 'error', count: found.length, detail }]
}
