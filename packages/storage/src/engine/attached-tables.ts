import * as z from 'zod'
import { quotedIdentifier, quotedString } from './attach-store.ts'
import type { Lane } from './engine-lane.ts'

export interface TableColumn {
  readonly name: string
  /** As DuckDB writes it, for example `DOUBLE[]`. */
  readonly type: string
}

const TableRow = z.object({ name: z.string() })
const ColumnRow = z.object({ table_name: z.string(), name: z.string(), type: z.string() })

/**
 * The base tables of an attached store (schema `main`), by name, and their columns in order. `duckdb_columns()` would tell the same
 * and take several times as long in a new engine: it first makes every view of DuckDB's own.
 */
export const attachedTables = async (lane: Lane, alias: string): Promise<Map<string, TableColumn[]>> => {
  const names = await lane.rows(
    TableRow,
    `SELECT table_name AS name FROM duckdb_tables()
     WHERE database_name = $alias AND schema_name = 'main' AND NOT internal AND NOT temporary ORDER BY name`,
    { alias },
  )
  const tables = new Map(names.map(({ name }): [string, TableColumn[]] => [name, []]))
  if (names.length === 0) return tables
  const described = names.map(({ name }) => {
    const table = `${quotedIdentifier(alias)}.main.${quotedIdentifier(name)}`
    return `SELECT ${quotedString(name)} AS table_name, column_name AS name, column_type AS type FROM (DESCRIBE ${table})`
  })
  const rows = await lane.rows(ColumnRow, described.join(' UNION ALL '))
  for (const { table_name, name, type } of rows) tables.get(table_name)?.push({ name, type })
  return tables
}

/** The columns of one table, view or subquery, in order. */
export const columnsOf = async (lane: Lane, relation: string): Promise<TableColumn[]> =>
  lane.rows(Column, `SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${relation})`)

const Column = z.object({ name: z.string(), type: z.string() })
