import { storeTableNames, storeTables } from '../catalog/catalog-schema.ts'
import { attachWritable, expectFile, quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { CHUNK_ROWS, TableAppender } from '../engine/table-appender.ts'
import { checkSqliteObjects } from '../workspace/check-store.ts'
import type { AttachedStore } from '../workspace/store-facts.ts'
import { asNumber, asText, describeSqlite, readColumns, type SqliteValue, userVersion, viewDefinition } from './read-table.ts'
import { withSqlite } from './with-sqlite.ts'

export interface SqliteCopyOptions {
  engine: Engine
  alias: string
  /** File to copy into; null for memory. */
  file: string | null
  /** Only these columns, per table; tables that are not named are left out. Default: everything a catalog knows. */
  only?: Readonly<Record<string, readonly string[]>>
}

/**
 * Copies the tables of store.sqlite into a DuckDB file attached as `alias`, columns by name: numbers as DOUBLE, everything else as
 * text. The SQLite file is open no longer than this takes.
 */
export const copySqlite = (path: string, options: SqliteCopyOptions): Promise<AttachedStore> =>
  withSqlite(path, async (database) => {
    const { engine, alias, file } = options
    const objects = describeSqlite(database)
    checkSqliteObjects(objects)
    await expectFile(engine, path)
    if (file === null) await engine.run(`ATTACH ':memory:' AS ${quotedIdentifier(alias)}`)
    else await attachWritable(engine, file, alias)
    const tables = new Map<string, ReadonlySet<string>>()
    for (const { name, isView, columns } of objects) {
      const wanted = columns.filter((column) => wantedColumn(options, name, column))
      if (isView || wanted.length === 0) continue
      tables.set(name, new Set(columns))
      await copyTable(engine, alias, name, wanted, (rows) => readColumns(database, name, wanted, rows))
    }
    return {
      engine,
      alias,
      tables,
      sqlite: { userVersion: userVersion(database), chainView: viewDefinition(database, 'v_chain_summary') },
    }
  })

const typeOf = (table: string, column: string) => {
  const known = storeTableNames.find((name) => name === table)
  return known === undefined ? undefined : storeTables[known].find(({ name }) => name === column)?.type
}

const wantedColumn = ({ only }: SqliteCopyOptions, table: string, column: string): boolean =>
  typeOf(table, column) !== undefined && (only === undefined || only[table]?.includes(column) === true)

const isNumber = (table: string, column: string): boolean => !['VARCHAR', 'TIMESTAMP'].includes(typeOf(table, column) ?? 'VARCHAR')

const copyTable = async (
  engine: Engine,
  alias: string,
  table: string,
  columns: readonly string[],
  read: (batchRows: number) => Iterable<SqliteValue[][]>,
): Promise<void> => {
  const definitions = columns.map((column) => `${quotedIdentifier(column)} ${isNumber(table, column) ? 'DOUBLE' : 'VARCHAR'}`)
  await engine.run(`CREATE TABLE ${quotedIdentifier(alias)}.main.${quotedIdentifier(table)} (${definitions.join(', ')})`)
  const kinds = columns.map((column) => (isNumber(table, column) ? 'number' : 'text'))
  const appender = await TableAppender.open(engine, { alias, table }, kinds)
  for (const batch of read(CHUNK_ROWS)) {
    appender.append(batch.map((values, index) => (kinds[index] === 'number' ? values.map(asNumber) : values.map(asText))))
  }
  appender.close()
}
