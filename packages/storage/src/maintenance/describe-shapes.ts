import * as z from 'zod'
import type { Engine } from '../engine/open-engine.ts'
import { describeTables } from '../workspace/store-facts.ts'
import { makeShapes, type TableShape } from './metadata-store.ts'

const Constraint = z.object({
  tbl: z.string(),
  kind: z.string(),
  own: z.array(z.string()),
  parent: z.string().nullable(),
  theirs: z.array(z.string()).nullable(),
})

/** The tables of an attached store.duckdb, by name, with their keys and what they refer to. */
export const describeShapes = async (engine: Engine, alias: string): Promise<ReadonlyMap<string, TableShape>> => {
  const tables = await describeTables(engine, alias)
  const constraints = await engine.rows(
    Constraint,
    `SELECT table_name AS tbl, constraint_type AS kind, constraint_column_names AS own, referenced_table AS parent,
       referenced_column_names AS theirs FROM duckdb_constraints()
     WHERE database_name = $alias AND schema_name = 'main' AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')`,
    { alias },
  )
  return makeShapes(
    [...tables].map(([name, columns]) => {
      const own = constraints.filter(({ tbl }) => tbl === name)
      const keys = own.find(({ kind }) => kind === 'PRIMARY KEY')?.own ?? []
      const declared = own.flatMap(({ kind, own: [...held], parent, theirs }) =>
        kind === 'FOREIGN KEY' && parent !== null ? [{ columns: held, table: parent, parentColumns: theirs ?? [] }] : [],
      )
      return { name, columns: [...columns], keys, declared }
    }),
  )
}
