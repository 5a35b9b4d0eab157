import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Lane } from '../engine/engine-lane.ts'

export interface SourceColumn {
  readonly name: string
  readonly type: string
}

/** Base tables of an attached store (schema `main`) and their columns in order. */
export type SourceTables = ReadonlyMap<string, readonly SourceColumn[]>

export const sourceAlias = 'source'
export const sourceTable = (name: string): string => `${quotedIdentifier(sourceAlias)}.main.${quotedIdentifier(name)}`

export const readSourceTables = async (lane: Lane, alias: string): Promise<SourceTables> => {
  const rows = await lane.rows(
    ColumnRow,
    `SELECT c.table_name, c.column_name, c.data_type FROM duckdb_columns() c
     JOIN duckdb_tables() t USING (database_name, schema_name, table_name)
     WHERE c.database_name = $alias AND c.schema_name = 'main' AND NOT t.temporary ORDER BY c.table_name, c.column_index`,
    { alias },
  )
  const tables = new Map<string, SourceColumn[]>()
  for (const { table_name, column_name, data_type } of rows) {
    tables.set(table_name, [...(tables.get(table_name) ?? []), { name: column_name, type: data_type }])
  }
  return tables
}

/** As in SQL, capital letters do not count. */
export const hasColumn = (tables: SourceTables, table: string, column: string): boolean =>
  tables.get(table)?.some(({ name }) => name.toLowerCase() === column.toLowerCase()) ?? false

const ColumnRow = z.object({ table_name: z.string(), column_name: z.string(), data_type: z.string() })
