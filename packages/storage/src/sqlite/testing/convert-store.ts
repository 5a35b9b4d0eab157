import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { attachReadOnly, detach, quotedIdentifier } from '../../engine/attach-store.ts'
import { withEngine } from '../../engine/open-engine.ts'
import { storeTables } from '../../migration/store-schema.ts'

const sqliteTypes = (definition: string): string =>
  definition
    .replace(/\bVARCHAR\b|\bJSON\b/g, 'TEXT')
    .replace(/\bDOUBLE\b/g, 'REAL')
    .replace(/\bBIGINT\b/g, 'INTEGER')

/** Turns a store.duckdb into the store.sqlite that later releases would have of it. `extra`: statements to run in it, for what no release does. */
export const convertStore = (folder: string, extra: readonly string[] = []): Promise<void> =>
  withEngine({}, async (engine) => {
    const duckdb = join(folder, 'store.duckdb')
    await attachReadOnly(engine, duckdb, 'made')
    const database = new DatabaseSync(join(folder, 'store.sqlite'))
    database.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON')
    for (const [table, definition] of Object.entries(storeTables)) {
      database.exec(`CREATE TABLE ${table} (${sqliteTypes(definition)})`)
      const columns = z
        .array(z.object({ name: z.string(), type: z.string() }))
        .parse(database.prepare('SELECT name, type FROM pragma_table_info(?)').all(table))
      const kept = columns.map(({ name, type }) =>
        type === 'TEXT' || type === 'TIMESTAMP'
          ? `${quotedIdentifier(name)}::VARCHAR AS ${quotedIdentifier(name)}`
          : quotedIdentifier(name),
      )
      const rows = await engine.rows(
        z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
        `SELECT ${kept.join(', ')} FROM made.main.${table}`,
      )
      const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`)
      for (const row of rows) insert.run(...columns.map(({ name }) => row[name] ?? null))
    }
    for (const statement of extra) database.exec(statement)
    database.close()
    await detach(engine, 'made')
    await rm(duckdb)
  })

/** As `convertStore`, with what nirs4all 0.8.4 and later leave of the store.duckdb. */
export const upgradeStore = async (folder: string): Promise<void> => {
  await copyFile(join(folder, 'store.duckdb'), join(folder, 'store.duckdb.bak'))
  await convertStore(folder)
}

/** Another program that opens a store.sqlite, changes it and closes it. */
export const changeSqlite = (path: string, sql: string): void => {
  const database = new DatabaseSync(path)
  try {
    database.exec(sql)
  } finally {
    database.close()
  }
}

/** Every row of every table, with the kind of each value. */
export const sqliteRows = (path: string): Record<string, string[]> => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = z
      .array(z.object({ name: z.string() }))
      .parse(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all())
    return Object.fromEntries(
      tables.map(({ name }) => {
        const statement = database.prepare(`SELECT * FROM ${quotedIdentifier(name)}`)
        statement.setReadBigInts(true)
        const rows = statement
          .all()
          .map((row) => JSON.stringify(Object.entries(row).map(([column, value]) => [column, typeof value, String(value)])))
        return [name, rows.sort()]
      }),
    )
  } finally {
    database.close()
  }
}
