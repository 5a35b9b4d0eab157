import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import * as z from 'zod'

export type SqliteValue = SQLOutputValue

const Named = z.object({ name: z.string(), type: z.string() })

/** Tables and views of the database with their columns; views say so. */
export const describeSqlite = (database: DatabaseSync) => {
  const objects = z.array(Named).parse(database.prepare("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')").all())
  return objects.map(({ name, type }) => ({ name, isView: type === 'view', columns: columnsOf(database, name) }))
}

const columnsOf = (database: DatabaseSync, table: string): string[] =>
  z
    .array(z.object({ name: z.string() }))
    .parse(database.prepare('SELECT name FROM pragma_table_info(?)').all(table))
    .map((column) => column.name)

/** The number that nirs4all stamps its schema with: 0 up to 0.9.1, 1 for 0.9.2 to 0.9.4, 2 for 0.10 and 0.11, 5 after. */
export const userVersion = (database: DatabaseSync): number =>
  z.object({ user_version: z.number() }).parse(database.prepare('PRAGMA user_version').get()).user_version

/** The definition of a view, or null. */
export const viewDefinition = (database: DatabaseSync, name: string): string | null =>
  z
    .object({ sql: z.string() })
    .nullable()
    .parse(database.prepare("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?").get(name) ?? null)?.sql ?? null

/** Rows of a table in batches, as columns: `batch[column][row]`. Order is that of the table. */
export function* readColumns(
  database: DatabaseSync,
  table: string,
  columns: readonly string[],
  batchRows: number,
): Generator<SqliteValue[][]> {
  const quoted = columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')
  const statement = database.prepare(`SELECT ${quoted} FROM "${table.replaceAll('"', '""')}"`)
  statement.setReturnArrays(true)
  statement.setReadBigInts(true)
  let batch: SqliteValue[][] = columns.map(() => [])
  for (const row of statement.iterate()) {
    if (!Array.isArray(row)) throw new TypeError('Expected rows as arrays')
    for (const [index, column] of batch.entries()) column.push(row[index] ?? null)
    if ((batch[0]?.length ?? 0) < batchRows) continue
    yield batch
    batch = columns.map(() => [])
  }
  if ((batch[0]?.length ?? 0) > 0) yield batch
}

/** A value as text; what a release never writes there (blobs) becomes UTF-8 text. */
export const asText = (value: SqliteValue): string | null => {
  if (value === null || typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value)
}

/** A value as a number; text such as 'nan' or '3.5' too, since SQLite stores whatever it is given. Null when it is none. */
export const asNumber = (value: SqliteValue): number | null => {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return null
  const word = /^\s*([+-]?)(nan|inf|infinity)\s*$/i.exec(value)
  if (word !== null)
    return word[2]?.toLowerCase() === 'nan' ? Number.NaN : word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const number = value.trim() === '' ? Number.NaN : Number(value)
  return Number.isNaN(number) ? null : number
}
