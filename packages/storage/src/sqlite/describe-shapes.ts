import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { type DescribedTable, makeShapes, type TableShape } from '../maintenance/metadata-store.ts'

const Column = z.object({ name: z.string(), pk: z.number() })
const Reference = z.object({ id: z.number(), from: z.string(), to: z.string().nullable(), table: z.string() })

/** The tables of a store.sqlite, by name, with their keys and what they refer to. */
export const describeShapes = (database: DatabaseSync): ReadonlyMap<string, TableShape> => {
  const tables = z
    .array(z.object({ name: z.string() }))
    .parse(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").all())
  const triggers = deleteTriggersOf(database)
  return makeShapes(
    tables.map(({ name }) => {
      const columns = z.array(Column).parse(database.prepare('SELECT name, pk FROM pragma_table_info(?)').all(name))
      const keys = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
      return {
        name,
        columns: columns.map((column) => column.name),
        keys: keys.map((column) => column.name),
        declared: referencesOf(database, name),
        deleteTriggers: triggers.filter(({ table }) => table.toLowerCase() === name.toLowerCase()).map((trigger) => trigger.name),
      }
    }),
  )
}

const Trigger = z.object({ name: z.string(), table: z.string(), sql: z.string() })

const deleteTriggersOf = (database: DatabaseSync): z.infer<typeof Trigger>[] =>
  z
    .array(Trigger)
    .parse(database.prepare('SELECT name, tbl_name AS "table", sql FROM sqlite_master WHERE type = \'trigger\'').all())
    // Nowhere else in a trigger do these two words follow each other.
    .filter(({ sql }) => /\bdelete(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)+on\b/i.test(sql))

const referencesOf = (database: DatabaseSync, table: string): DescribedTable['declared'] => {
  const rows = z
    .array(Reference)
    .parse(database.prepare('SELECT id, "from", "to", "table" FROM pragma_foreign_key_list(?) ORDER BY id, seq').all(table))
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((parts) => ({
    columns: parts.map(({ from }) => from),
    table: parts[0]?.table ?? '',
    parentColumns: parts.flatMap(({ to }) => to ?? []),
  }))
}
