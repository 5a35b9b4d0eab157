import * as z from 'zod'
import { openSqlite } from './open-sqlite.ts'
import { asNumber, asText, describeSqlite, readColumns } from './read-table.ts'

export interface ExtraColumnType {
  readonly name: string
  readonly type: 'VARCHAR' | 'DOUBLE' | 'TIMESTAMP'
}

/** A table that no catalog knows, held in memory: `values[column][row]`, times as text. */
export interface ExtraTable {
  readonly name: string
  readonly columns: readonly ExtraColumnType[]
  readonly values: readonly (readonly (string | number | null)[])[]
}

const Declared = z.array(z.object({ name: z.string(), type: z.string() }))

/** Those of the wanted tables that the SQLite file has. For tables of a few rows. */
export const readExtraTables = async (path: string, wanted: readonly string[]): Promise<ExtraTable[]> => {
  const store = await openSqlite(path)
  try {
    const there = describeSqlite(store.database).filter(({ name, isView }) => !isView && wanted.includes(name))
    return there.map(({ name }) => {
      const declared = Declared.parse(store.database.prepare('SELECT name, type FROM pragma_table_info(?)').all(name))
      const columns = declared.map((column) => ({ name: column.name, type: typeOf(column.type) }))
      const values: (string | number | null)[][] = columns.map(() => [])
      for (const batch of readColumns(
        store.database,
        name,
        columns.map((column) => column.name),
        1000,
      )) {
        for (const [index, { type }] of columns.entries()) {
          for (const value of batch[index] ?? []) values[index]?.push(type === 'DOUBLE' ? asNumber(value) : asText(value))
        }
      }
      return { name, columns, values }
    })
  } finally {
    await store.close()
  }
}

const typeOf = (declared: string): ExtraColumnType['type'] => {
  if (/REAL|INT|NUM|DOUBLE|FLOAT/i.test(declared)) return 'DOUBLE'
  return /TIMESTAMP|DATE/i.test(declared) ? 'TIMESTAMP' : 'VARCHAR'
}
