import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { attachWritable } from './attach-store.ts'
import { attachedTables, columnsOf } from './attached-tables.ts'
import { withEngine } from './open-engine.ts'

test('tables and columns are what DuckDB lists, whatever they are called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nirs-workspace-tables-'))
  try {
    await withEngine({}, async (engine) => {
      await attachWritable(engine, join(folder, 'store.duckdb'), 'a "b" \'c\'.d')
      await engine.run('USE "a ""b"" \'c\'.d"')
      expect(await attachedTables(engine, 'a "b" \'c\'.d')).toEqual(new Map())
      await engine.run(`CREATE TABLE "it's. ""odd""" ("x ""y"" 'z'" DOUBLE[], "B" DECIMAL(10, 2), b2 STRUCT(a INTEGER, "c d" VARCHAR))`)
      await engine.run('CREATE TABLE plain (id VARCHAR PRIMARY KEY, twice INTEGER GENERATED ALWAYS AS (length(id) * 2))')
      await engine.run('CREATE TABLE wörter (größe DOUBLE)')
      await engine.run('CREATE VIEW seen AS SELECT * FROM plain')
      await engine.run('CREATE SCHEMA other')
      await engine.run('CREATE TABLE other.plain (x INTEGER)')
      await engine.run('CREATE TEMP TABLE passing (x INTEGER)')
      const listed = await engine.rows(
        z.object({ t: z.string(), name: z.string(), type: z.string() }),
        `SELECT c.table_name AS t, c.column_name AS name, c.data_type AS type FROM duckdb_columns() c
         JOIN duckdb_tables() USING (database_name, schema_name, table_name)
         WHERE c.schema_name = 'main' AND NOT temporary ORDER BY t, column_index`,
      )
      const tables = await attachedTables(engine, 'a "b" \'c\'.d')
      expect([...tables].flatMap(([t, columns]) => columns.map((column) => ({ t, ...column })))).toEqual(listed)
      expect([...tables.keys()]).toEqual(['it\'s. "odd"', 'plain', 'wörter'])
      expect(await columnsOf(engine, `"it's. ""odd"""`)).toEqual(tables.get('it\'s. "odd"'))
      await engine.run('USE memory')
    })
  } finally {
    await rm(folder, { recursive: true })
  }
})
