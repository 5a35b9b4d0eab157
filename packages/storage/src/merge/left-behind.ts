import * as z from 'zod'
import { storeTables } from '../catalog/catalog-schema.ts'
import { readCatalogMeta } from '../catalog/read-info.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { openSqlite } from '../sqlite/open-sqlite.ts'
import { describeSqlite } from '../sqlite/read-table.ts'
import { NEWEST_USER_VERSION } from '../workspace/find-metadata-oddities.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { laterTables } from './later-tables.ts'
import type { OpenMerge } from './open-merge.ts'

/**
 * What the stores of the sources hold beyond what this program knows, as sentences: tables with rows, columns with values. They stay in the
 * source; what is empty is not missed.
 */
export const findLeftBehind = async ({ engine, sources }: Pick<OpenMerge, 'engine' | 'sources'>): Promise<string[]> => {
  const warnings: string[] = []
  for (const { index, resolved } of sources) {
    if (resolved.kind === 'portable') continue
    const { user_version } = await readCatalogMeta(engine, `source_${index}`)
    if (user_version > NEWEST_USER_VERSION)
      warnings.push(
        `${resolved.name}: store.sqlite has schema version ${user_version}; this program knows ${NEWEST_USER_VERSION} and older. What it knows comes along.`,
      )
    const names = resolved.sqlite !== null ? await inSqlite(resolved.sqlite) : await inDuckdb(engine, resolved.duckdb)
    if (names.length > 0)
      warnings.push(
        `${resolved.name}: what no known release of nirs4all writes cannot come along and stays in the source: ${names.join(', ')}.`,
      )
  }
  return warnings
}

/** Part of a store with the names under which people find it, and how to ask whether it holds anything. */
interface Part {
  readonly text: string
  readonly sql: string
}

const inDuckdb = async (engine: OpenMerge['engine'], path: string | null): Promise<string[]> =>
  path === null
    ? []
    : withAttachedStore(engine, path, 'looked_at', async ({ tables, alias }) => {
        const found: string[] = []
        for (const { text, sql } of unknownParts(tables, (table) => `${alias}.main.${quotedIdentifier(table)}`)) {
          if ((await engine.rows(z.object({ found: z.number() }), sql)).length > 0) found.push(text)
        }
        return found
      })

const inSqlite = async (path: string): Promise<string[]> => {
  const store = await openSqlite(path)
  try {
    const own = describeSqlite(store.database).filter(({ name, isView }) => !isView && !name.startsWith('sqlite_'))
    const tables = new Map(own.map(({ name, columns }) => [name, columns]))
    return unknownParts(tables, quotedIdentifier)
      .filter(({ sql }) => store.database.prepare(sql).get() !== undefined)
      .map(({ text }) => text)
  } finally {
    await store.close()
  }
}

const unknownParts = (tables: ReadonlyMap<string, Iterable<string>>, relation: (table: string) => string): Part[] => {
  const known = new Map<string, ReadonlySet<string>>(
    Object.entries(storeTables).map(([table, columns]) => [table, new Set<string>(columns.map(({ name }) => name))]),
  )
  const elsewhere = new Set<string>([...laterTables, 'prediction_arrays'])
  return [...tables].sort().flatMap(([table, columns]): Part[] => {
    if (elsewhere.has(table)) return []
    const own = known.get(table)
    if (own === undefined) return [{ text: `table ${table}`, sql: `SELECT 1 AS found FROM ${relation(table)} LIMIT 1` }]
    return [...columns]
      .filter((column) => !own.has(column))
      .map((column) => ({
        text: `column ${table}.${column}`,
        sql: `SELECT 1 AS found FROM ${relation(table)} WHERE ${quotedIdentifier(column)} IS NOT NULL LIMIT 1`,
      }))
  })
}
