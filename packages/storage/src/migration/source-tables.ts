import { quotedIdentifier } from '../engine/attach-store.ts'
import type { TableColumn } from '../engine/attached-tables.ts'

/** The tables of the store that is read, as `attachedTables` gives them. */
export type SourceTables = ReadonlyMap<string, readonly TableColumn[]>

export const sourceAlias = 'source'
export const sourceTable = (name: string): string => `${quotedIdentifier(sourceAlias)}.main.${quotedIdentifier(name)}`

/** As in SQL, capital letters do not count. */
export const hasColumn = (tables: SourceTables, table: string, column: string): boolean =>
  tables.get(table)?.some(({ name }) => name.toLowerCase() === column.toLowerCase()) ?? false
