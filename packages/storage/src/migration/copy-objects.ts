import * as z from 'zod'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import type { Lane } from '../engine/engine-lane.ts'
import { sourceAlias } from './source-tables.ts'
import { arraysTable, droppedViews, storeTables } from './store-schema.ts'

interface Statement {
  readonly name: string
  readonly sql: string
}

/** Defaults of columns that the new, still empty table has not. Returns the names of what could not be carried. */
export const copyDefaults = async (lane: Lane, copy: string, table: string): Promise<string[]> => {
  const columns = (alias: string) =>
    `SELECT column_name, column_default FROM duckdb_columns()
     WHERE database_name = '${alias}' AND schema_name = 'main' AND table_name = ${quotedString(table)} AND column_default <> 'NULL'`
  const rows = await lane.rows(
    z.object({ column_name: z.string(), column_default: z.string() }),
    `${columns(sourceAlias)} EXCEPT ${columns(copy)} ORDER BY column_name`,
  )
  return runEach(
    lane,
    rows.map(({ column_name, column_default }) => ({
      name: `the default of ${table}.${column_name}`,
      sql: `ALTER TABLE ${quotedIdentifier(table)} ALTER COLUMN ${quotedIdentifier(column_name)} SET DEFAULT ${column_default}`,
    })),
  )
}

/** Indexes, views and comments of others; those of the library itself are there. Returns the names of what could not be carried. */
export const copyObjects = async (lane: Lane, copy: string): Promise<string[]> => [
  ...(await copyIndexes(lane, copy)),
  ...(await copyViews(lane)),
  ...(await copyComments(lane)),
  ...(await uncarried(lane, copy)),
]

const copyIndexes = async (lane: Lane, copy: string): Promise<string[]> => {
  const isOld = `schema_name = 'main' AND (table_name = '${arraysTable}' OR index_name = 'idx_predictions_natural_key')`
  const rows = await lane.rows(
    z.object({ schema_name: z.string(), index_name: z.string(), sql: z.string() }),
    `SELECT schema_name, index_name, sql FROM duckdb_indexes() a WHERE database_name = '${sourceAlias}' AND NOT (${isOld}) AND sql IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM duckdb_indexes() b WHERE b.database_name = '${copy}' AND b.schema_name = a.schema_name
         AND b.table_name = a.table_name AND b.index_name = a.index_name AND b.is_unique = a.is_unique AND b.expressions = a.expressions)
     ORDER BY index_oid`,
  )
  return runEach(
    lane,
    rows.map(({ schema_name, index_name, sql }) => ({ name: `the index ${nameIn(schema_name, index_name)}`, sql })),
  )
}

const copyViews = async (lane: Lane): Promise<string[]> => {
  const views = await lane.rows(
    z.object({ schema_name: z.string(), view_name: z.string(), sql: z.string() }),
    `SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = '${sourceAlias}' AND NOT internal ORDER BY view_oid`,
  )
  return runEach(
    lane,
    views
      .filter(({ schema_name, view_name }) => schema_name !== 'main' || !droppedViews.includes(view_name))
      .map(({ schema_name, view_name, sql }) => ({ name: `the view ${nameIn(schema_name, view_name)}`, sql })),
  )
}

const copyComments = async (lane: Lane): Promise<string[]> => {
  const of = (kind: string, place: string) =>
    `SELECT '${kind}' AS kind, [${place}] AS place, comment FROM duckdb_${kind.toLowerCase()}${kind === 'INDEX' ? 'es' : 's'}()
     WHERE database_name = '${sourceAlias}' AND NOT (schema_name = 'main' AND ${kind === 'VIEW' ? 'view' : 'table'}_name IN ($gone)) AND comment IS NOT NULL`
  const kinds = [
    of('TABLE', 'schema_name, table_name'),
    of('COLUMN', 'schema_name, table_name, column_name'),
    of('VIEW', 'schema_name, view_name'),
    of('INDEX', 'schema_name, index_name'),
  ]
  const gone = [arraysTable, ...droppedViews.filter((view) => view !== 'v_chain_summary')].map(quotedString).join(', ')
  const rows = await lane.rows(
    z.object({ kind: z.string(), place: z.array(z.string()), comment: z.string() }),
    kinds.join(' UNION ALL ').replaceAll('$gone', gone),
  )
  return runEach(
    lane,
    rows.map(({ kind, place, comment }) => ({
      name: `the comment on ${place.slice(place[0] === 'main' ? 1 : 0).join('.')}`,
      sql: `COMMENT ON ${kind} ${place.map(quotedIdentifier).join('.')} IS ${quotedString(comment)}`,
    })),
  )
}

/** What is never carried: rules that the tables of the library have only in the source, and what stands in no table. */
const uncarried = async (lane: Lane, copy: string): Promise<string[]> => {
  const known = Object.keys(storeTables).map(quotedString).join(', ')
  const inKnown = `schema_name = 'main' AND table_name IN (${known})`
  const rules = (alias: string) =>
    `SELECT 'the rule ' || constraint_text || ' of ' || table_name || '.' || array_to_string(constraint_column_names, ', ') AS name
     FROM duckdb_constraints() WHERE database_name = '${alias}' AND ${inKnown}`
  const rows = await lane.rows(
    z.object({ name: z.string() }),
    `(${rules(sourceAlias)} EXCEPT ${rules(copy)})
     UNION ALL SELECT 'what is generated in ' || table_name FROM duckdb_tables()
       WHERE database_name = '${sourceAlias}' AND ${inKnown} AND sql LIKE '%GENERATED ALWAYS AS%'
     UNION ALL SELECT 'the sequence ' || schema_name || '.' || sequence_name FROM duckdb_sequences() WHERE database_name = '${sourceAlias}'
     UNION ALL SELECT 'the type ' || schema_name || '.' || type_name FROM duckdb_types() WHERE database_name = '${sourceAlias}' AND NOT internal
     ORDER BY name`,
  )
  return rows.map(({ name }) => name)
}

const nameIn = (schema: string, name: string): string => (schema === 'main' ? name : `${schema}.${name}`)

/** Runs what may not be possible any more; returns the names of what was not. */
const runEach = async (lane: Lane, statements: readonly Statement[]): Promise<string[]> => {
  const lost: string[] = []
  for (const { name, sql } of statements) {
    try {
      await lane.run(sql)
    } catch (error) {
      if (!(error instanceof Error) || !/Error/.test(error.message)) throw error
      lost.push(name)
    }
  }
  return lost
}
