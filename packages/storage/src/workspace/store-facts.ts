import * as z from 'zod'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { attachedTables } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'

/** A store that an engine has attached under `alias`: store.duckdb itself, or what was copied out of store.sqlite. */
export interface AttachedStore {
  readonly engine: Engine
  readonly alias: string
  /** Columns per table, as the store has them. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>
  /** Only for a store.sqlite. */
  readonly sqlite: { readonly userVersion: number; readonly chainView: string | null } | null
}

/** The real tables of an attached file with their columns. */
export const describeTables = async (engine: Engine, alias: string): Promise<Map<string, Set<string>>> => {
  const tables = await attachedTables(engine, alias)
  return new Map([...tables].map(([table, columns]) => [table, new Set(columns.map(({ name }) => name))]))
}

/** Rows of a table; 0 when the store has none of that name. */
export const countRows = async (store: AttachedStore, table: string): Promise<number> => {
  if (!store.tables.has(table)) return 0
  const sql = `SELECT count(*) AS n FROM ${quotedIdentifier(store.alias)}.main.${quotedIdentifier(table)}`
  return (await store.engine.one(z.object({ n: z.number() }), sql)).n
}

/** Bytes of the blocks that a DuckDB store no longer uses; a rewrite would free them. */
export const freeBytes = async ({ engine, alias }: AttachedStore): Promise<number> => {
  const sql = 'SELECT (free_blocks * block_size)::BIGINT AS bytes FROM pragma_database_size() WHERE database_name = $alias'
  return (await engine.one(z.object({ bytes: z.number() }), sql, { alias })).bytes
}
