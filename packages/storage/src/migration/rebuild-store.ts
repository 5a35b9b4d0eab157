import { chmod } from 'node:fs/promises'
import * as z from 'zod'
import { attachReadOnly, attachUnlogged, detach, quotedIdentifier } from '../engine/attach-store.ts'
import { columnsOf, type TableColumn } from '../engine/attached-tables.ts'
import { type Lane, openLane } from '../engine/engine-lane.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { faultPoint } from '../files/fault-point.ts'
import { fillChainSummaries } from './chain-summaries.ts'
import { copyDefaults, copyObjects } from './copy-objects.ts'
import { type SourceTables, sourceAlias, sourceTable } from './source-tables.ts'
import { arraysTable, chainSummaryView, isStoreTable, naturalKeyIndex, plainIndexes, storeTables, summaryColumns } from './store-schema.ts'
import { type TableDigest, tableDigest } from './table-digest.ts'

export interface RebuiltStore {
  tables: Record<string, TableDigest>
  /** False when real duplicates of the natural key stand against the unique index. */
  hasNaturalKeyIndex: boolean
  /** What others have added and the new store has not: views, indexes, rules of columns, sequences, comments. */
  lost: string[]
  /** `table.column` of numbers whose −0 DuckDB's own storage has made 0: equal in value, not in sign. */
  lostSigns: string[]
}

export interface RebuildOptions {
  readonly signal?: AbortSignal | undefined
  /** Copies the summaries of chains as they are, empty ones too, and compares them like everything else. */
  readonly keepSummaries?: boolean | undefined
  /** Who may read and write the new store, from before its first row, and its owner in any case. Default: as the process makes files. */
  readonly mode?: number | undefined
  /** Put the comparison off until then: whoever has other work for both processors before says when one of them is free. */
  readonly compareAfter?: Promise<void> | undefined
}

const newAlias = 'rebuilt'

/**
 * Writes a new store without the arrays table beside the old one: every row of every table, the 0.8.1 schema, summaries filled in. Then
 * opens the closed file again and compares it table by table: DuckDB's compression happens at the checkpoint, so what matters is what
 * the file gives back. It is complete and closed afterwards, not flushed.
 */
export const rebuildStore = async (
  engine: Engine,
  tables: SourceTables,
  path: string,
  { signal, keepSummaries = false, mode, compareAfter }: RebuildOptions = {},
): Promise<RebuiltStore> => {
  const built = await writeStore(engine, tables, path, { signal, keepSummaries, mode })
  await compareAfter
  signal?.throwIfAborted()
  await attachReadOnly(engine, path, newAlias)
  const lane = await openLane(engine)
  try {
    return { ...built, ...(await compareTables(lane, tables, keepSummaries)) }
  } finally {
    lane.close()
    await detach(engine, newAlias)
  }
}

const writeStore = async (engine: Engine, tables: SourceTables, path: string, { signal, keepSummaries, mode }: RebuildOptions) => {
  const { block_size } = await engine.one(BlockSize, `SELECT block_size FROM pragma_database_size() WHERE database_name = '${sourceAlias}'`)
  await faultPoint({ kind: 'engine-write', path })
  await attachUnlogged(engine, path, newAlias, block_size)
  if (mode !== undefined) await chmod(path, mode | 0o600)
  const lane = await openLane(engine)
  try {
    await lane.run(`USE ${newAlias}`)
    signal?.throwIfAborted()
    const lostDefaults = await copyTables(lane, tables, signal)
    if (keepSummaries !== true) await fillSummaries(lane, tables)
    signal?.throwIfAborted()
    for (const index of plainIndexes) await lane.run(index)
    const hasNaturalKeyIndex = await createNaturalKey(lane)
    await lane.run(chainSummaryView)
    const lost = [...lostDefaults, ...(await copyObjects(lane, newAlias))]
    await lane.run(`CHECKPOINT ${newAlias}`)
    await lane.run('USE memory')
    return { hasNaturalKeyIndex, lost }
  } finally {
    lane.close()
    await detach(engine, newAlias)
    await faultPoint({ kind: 'engine-write', path })
  }
}

const copyTables = async (lane: Lane, tables: SourceTables, signal: AbortSignal | undefined): Promise<string[]> => {
  const lost: string[] = []
  for (const [name, definition] of Object.entries(storeTables)) {
    signal?.throwIfAborted()
    await lane.run(`CREATE TABLE ${quotedIdentifier(name)}(${definition})`)
    const columns = tables.get(name)
    if (columns === undefined) continue
    const known = new Set(await namesOf(lane, quotedIdentifier(name)))
    for (const { name: column, type } of columns) {
      if (!known.has(column)) await lane.run(`ALTER TABLE ${quotedIdentifier(name)} ADD COLUMN ${quotedIdentifier(column)} ${type}`)
    }
    lost.push(...(await copyDefaults(lane, newAlias, name)))
    const names = columns.map((column) => quotedIdentifier(column.name)).join(', ')
    await lane.run(`INSERT INTO ${quotedIdentifier(name)} (${names}) SELECT ${names} FROM ${sourceTable(name)}`)
  }
  for (const schema of await extraSchemas(lane)) await lane.run(`CREATE SCHEMA ${quotedIdentifier(schema)}`)
  for (const { table, sql } of await extraTables(lane)) {
    await lane.run(sql)
    await lane.run(`INSERT INTO ${table} SELECT * FROM ${sourceAlias}.${table}`)
  }
  return lost
}

const extraSchemas = async (lane: Lane): Promise<string[]> => {
  const sql = `SELECT schema_name AS name FROM duckdb_schemas() WHERE database_name = '${sourceAlias}' AND schema_name <> 'main' AND NOT internal`
  return (await lane.rows(z.object({ name: z.string() }), sql)).map(({ name }) => name)
}

const namesOf = async (lane: Lane, relation: string): Promise<string[]> => (await columnsOf(lane, relation)).map(({ name }) => name)

/** Tables of later or foreign programs, in the order in which they were made, so that their references resolve. */
const extraTables = async (lane: Lane) => {
  const rows = await lane.rows(
    z.object({ schema_name: z.string(), table_name: z.string(), sql: z.string() }),
    `SELECT schema_name, table_name, sql FROM duckdb_tables()
     WHERE database_name = '${sourceAlias}' AND NOT internal AND NOT temporary ORDER BY table_oid`,
  )
  return rows
    .filter(({ schema_name, table_name }) => schema_name !== 'main' || (table_name !== arraysTable && !isStoreTable(table_name)))
    .map(({ schema_name, table_name, sql }) => ({
      schema: schema_name,
      table: `${quotedIdentifier(schema_name)}.${quotedIdentifier(table_name)}`,
      sql,
    }))
}

const fillSummaries = async (lane: Lane, tables: SourceTables): Promise<void> => {
  const present = summaryColumns.filter((column) => tables.get('chains')?.some(({ name }) => name === column))
  // A store that an 0.8 release has opened before has them filled already, by training too: only what is empty is filled in.
  const empty =
    present.includes('model_name') && present.includes('cv_val_score') ? 'WHERE model_name IS NULL AND cv_val_score IS NULL' : ''
  await lane.run(`CREATE OR REPLACE TABLE memory.main.chains_to_fill AS SELECT chain_id FROM ${sourceTable('chains')} ${empty}`)
  await fillChainSummaries(lane)
}

const createNaturalKey = async (lane: Lane): Promise<boolean> => {
  try {
    await lane.run(naturalKeyIndex)
    return true
  } catch (error) {
    if (error instanceof Error && /duplicate|unique/i.test(error.message)) return false
    throw error
  }
}

/**
 * Every table of the source against its copy, over the source's columns (of chains without what was filled in). The digests returned are
 * over all columns of the new tables, by name.
 */
const compareTables = async (
  lane: Lane,
  tables: SourceTables,
  keepSummaries: boolean,
): Promise<{ tables: Record<string, TableDigest>; lostSigns: string[] }> => {
  const digests: Record<string, TableDigest> = {}
  const lostSigns: string[] = []
  for (const [name, columns] of tables) {
    if (name === arraysTable) continue
    const copy = `${newAlias}.main.${quotedIdentifier(name)}`
    if (isStoreTable(name)) {
      const isFilled = !keepSummaries && name === 'chains'
      const [source, asBefore] = isFilled ? [chainsWithMark, unlessFilled] : [sourceTable(name), () => 'true']
      lostSigns.push(...(await compareRows(lane, name, { source, copy, columns, asBefore })))
    } else if (!(await sameByDigest(lane, sourceTable(name), copy, columns.map((column) => column.name).sort()))) throw differs(name)
    digests[name] = await tableDigest(lane, copy, (await namesOf(lane, copy)).sort())
  }
  for (const { table, schema } of await extraTables(lane)) {
    if (schema === 'main') continue
    const copy = `${newAlias}.${table}`
    if (!(await sameByDigest(lane, `${sourceAlias}.${table}`, copy, (await namesOf(lane, copy)).sort()))) throw differs(table)
  }
  return { tables: digests, lostSigns }
}

const chainsWithMark = `(SELECT *, chain_id IN (SELECT chain_id FROM memory.main.chains_to_fill) AS nirs_workspace_filled FROM ${sourceTable('chains')})`

/** Where a value of a chain, as `a`, must be the one from before: see `fillSummaries`. */
const unlessFilled = (column: string): string => {
  if (!isSummary(column)) return 'true'
  return column === 'dataset_name' ? 'a.dataset_name IS NOT NULL' : 'NOT a.nirs_workspace_filled'
}

interface Compared {
  readonly source: string
  readonly copy: string
  readonly columns: readonly TableColumn[]
  /** Where, as a condition on a row `a` of the source, a column must be as it was. */
  readonly asBefore: (column: string) => string
}

/**
 * Row against row. `IS DISTINCT FROM` does not see the sign of zero: where every value of a stretch of a column is 0 or −0, DuckDB stores
 * one constant for all of them. Returns the columns in which that has happened.
 */
const compareRows = async (lane: Lane, table: string, { source, copy, columns, asBefore }: Compared): Promise<string[]> => {
  const key = quotedIdentifier(columns[0]?.name ?? '')
  const differences = columns.map(
    ({ name }) => `a.${quotedIdentifier(name)} IS DISTINCT FROM b.${quotedIdentifier(name)} AND ${asBefore(name)}`,
  )
  const doubles = columns.filter(({ type }) => type === 'DOUBLE').map(({ name }) => name)
  const turned = doubles.map((name) => {
    const column = quotedIdentifier(name)
    return `count(*) FILTER (a.${column} = 0 AND b.${column} = 0 AND signbit(a.${column}) <> signbit(b.${column}) AND ${asBefore(name)})`
  })
  const compare = (join: string) =>
    lane.one(
      z.object({ rows: z.number(), signs: z.array(z.number()) }),
      `SELECT count(*) FILTER (${differences.join(' OR ')}) AS rows, [${turned.join(', ')}]::BIGINT[] AS signs FROM ${join}`,
    )
  // Copied rows lie in the order of the source, which is quick to compare. Should they ever not, only the primary key can tell.
  const inOrder = await compare(`${source} a POSITIONAL JOIN ${copy} b`)
  const { rows, signs } = inOrder.rows === 0 ? inOrder : await compare(`${source} a FULL JOIN ${copy} b ON a.${key} = b.${key}`)
  if (rows > 0) throw differs(table)
  return doubles.filter((_, index) => (signs[index] ?? 0) > 0).map((name) => `${table}.${name}`)
}

const sameByDigest = async (lane: Lane, source: string, copy: string, columns: readonly string[]): Promise<boolean> => {
  const [a, b] = [await tableDigest(lane, source, columns), await tableDigest(lane, copy, columns)]
  return a.rows === b.rows && a.sha256 === b.sha256
}

const isSummary = (column: string): boolean => summaryColumns.some((summary) => summary === column)

const differs = (table: string) =>
  new StorageError('verification_failed', `The copy of the table ${table} differs from the original. The original is untouched.`, {
    hint: 'Run the migration again; if it fails again, keep the report and the store.',
  })

const BlockSize = z.object({ block_size: z.number() })
