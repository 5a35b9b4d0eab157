import * as z from 'zod'
import { appendColumns } from '../engine/append-columns.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { type ExtraTable, readExtraTables } from '../sqlite/read-extra.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { goneIds } from './match-predictions.ts'
import type { MergeSource, OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'
import { type LineageTable, ofSource } from './source-views.ts'

/** Tables of nirs4all after 0.11: results that belong to runs, chains or predictions. Their first column is their key. */
export const laterTables = ['tuning_results', 'conformal_results', 'robustness_results'] as const

/** Rows of such a table that come from one source, in `s<i>_later_<table>` under their new ids. */
export interface LaterRows {
  readonly source: number
  readonly table: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: number
}

/**
 * Reads the results of later releases: what the target lacks, with the ids that their parents have there. A result whose run, chain or
 * prediction does not come is left out with it.
 */
export const readLaterTables = async (merge: OpenMerge): Promise<LaterRows[]> => {
  await merge.engine.run('CREATE TABLE memory.main.later_known (tbl VARCHAR, id VARCHAR)')
  await learnKnown(merge)
  const found: LaterRows[] = []
  for (const source of merge.sources) {
    for (const table of await tablesOf(merge, source)) {
      const rows = await resolveRows(merge, source, table)
      if (rows.rows > 0) found.push(rows)
    }
  }
  return found
}

/** Statements for the transaction that inserts the rows; tables and columns that the target lacks are made first. */
export const laterStatements = (
  later: readonly LaterRows[],
  alias: string,
  there: ReadonlyMap<string, readonly { readonly name: string }[]>,
): string[] => [
  ...[...Map.groupBy(later, ({ table }) => table)].flatMap(([table, sources]) =>
    shapeStatements(
      `${alias}.main.${table}`,
      sources.flatMap(({ columns }) => columns),
      there.get(table) ?? null,
    ),
  ),
  ...later.map(({ source, table, columns }) => {
    const names = columns.map(({ name }) => quotedIdentifier(name)).join(', ')
    return `INSERT INTO ${alias}.main.${table} (${names}) SELECT ${names} FROM ${ofSource(source, `later_${table}`)}`
  }),
]

/** Releases differ in the columns of these tables: a table gets those of all sources. */
const shapeStatements = (table: string, columns: LaterRows['columns'], there: readonly { readonly name: string }[] | null): string[] => {
  const known = new Set((there ?? []).map(({ name }) => name.toLowerCase()))
  const added = columns.flatMap(({ name, type }) => {
    if (known.has(name.toLowerCase())) return []
    known.add(name.toLowerCase())
    return [`${quotedIdentifier(name)} ${type}`]
  })
  if (there !== null) return added.map((column) => `ALTER TABLE ${table} ADD COLUMN ${column}`)
  return [`CREATE TABLE ${table} (${added.join(', ')}, PRIMARY KEY (${quotedIdentifier(columns[0]?.name ?? '')}))`]
}

const learnKnown = async ({ engine, target }: OpenMerge): Promise<void> => {
  const path = target?.resolved.duckdb ?? null
  if (path === null) return
  await withAttachedStore(engine, path, 'later_target', async ({ tables }) => {
    for (const table of laterTables) {
      const [key] = tables.get(table) ?? []
      if (key === undefined) continue
      await engine.run(
        `INSERT INTO memory.main.later_known SELECT '${table}', ${quotedIdentifier(key)}::VARCHAR FROM later_target.main.${table}`,
      )
    }
  })
}

/** The tables of a source, copied into the engine as `s<i>_read_<table>`. */
const tablesOf = async ({ engine }: OpenMerge, { index, resolved }: MergeSource): Promise<Pick<ExtraTable, 'name' | 'columns'>[]> => {
  if (resolved.sqlite === null) return resolved.duckdb === null ? [] : fromDuckdb(engine, index, resolved.duckdb)
  const tables = await readExtraTables(resolved.sqlite, laterTables)
  for (const { name, columns, values } of tables) {
    const read = ofSource(index, `read_${name}`)
    await engine.run(
      `CREATE TABLE ${read} (${columns.map((column) => `${quotedIdentifier(column.name)} ${column.type === 'DOUBLE' ? 'DOUBLE' : 'VARCHAR'}`).join(', ')})`,
    )
    await appendColumns(
      engine,
      { alias: 'memory', table: `s${index}_read_${name}` },
      values.map((column, at) =>
        columns[at]?.type === 'DOUBLE'
          ? { type: 'double', values: column.map((value) => (typeof value === 'number' ? value : null)) }
          : { type: 'varchar', values: column.map((value) => (value === null ? null : String(value))) },
      ),
    )
  }
  return tables
}

const Column = z.object({ name: z.string(), type: z.string() })

const fromDuckdb = (engine: OpenMerge['engine'], index: number, path: string): Promise<Pick<ExtraTable, 'name' | 'columns'>[]> =>
  withAttachedStore(engine, path, 'later_source', async ({ tables }) => {
    const found: Pick<ExtraTable, 'name' | 'columns'>[] = []
    for (const name of laterTables) {
      if (!tables.has(name)) continue
      await engine.run(`CREATE TABLE ${ofSource(index, `read_${name}`)} AS SELECT * FROM later_source.main.${name}`)
      const columns = await engine.rows(
        Column,
        `SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${ofSource(index, `read_${name}`)})`,
      )
      found.push({ name, columns: columns.map((column) => ({ name: column.name, type: plainType(column.type) })) })
    }
    return found
  })

const plainType = (type: string): 'VARCHAR' | 'DOUBLE' | 'TIMESTAMP' =>
  type === 'TIMESTAMP' ? 'TIMESTAMP' : /^(DOUBLE|FLOAT|[A-Z]*INT[A-Z]*)$/.test(type) ? 'DOUBLE' : 'VARCHAR'

/** The id that a parent has in the target; null when it has none there. */
const parents: Readonly<Record<string, (source: number, column: string) => string>> = {
  run_id: (source, column) => mapped(source, 'runs', column),
  pipeline_id: (source, column) => mapped(source, 'pipelines', column),
  chain_id: (source, column) => mapped(source, 'chains', column),
  prediction_id: (source, column) =>
    `coalesce((SELECT new_id FROM ${arrivals(source)} x WHERE x.id = ${column}), (SELECT same_id FROM ${ofSource(source, 'matched')} x WHERE x.id = ${column} AND x.action = 'same' AND x.same_id NOT IN (${goneIds})))`,
}

const mapped = (source: number, table: LineageTable, column: string) =>
  `(SELECT new_id FROM ${ofSource(source, 'map')} x WHERE x.tbl = '${table}' AND x.old_id = ${column} AND x.action <> 'leave')`

const resolveRows = async (
  { engine, request }: OpenMerge,
  { index }: MergeSource,
  { name, columns }: Pick<ExtraTable, 'name' | 'columns'>,
): Promise<LaterRows> => {
  const [key] = columns
  const keyName = quotedIdentifier(key?.name ?? '')
  const links = columns.filter((column) => column.name !== key?.name && parents[column.name] !== undefined).map((column) => column.name)
  const link = (column: string) => parents[column]?.(index, `r.${quotedIdentifier(column)}`) ?? 'NULL'
  const complete = links.map((column) => `(r.${quotedIdentifier(column)} IS NULL OR ${link(column)} IS NOT NULL)`)
  const belongs =
    request.datasets === null
      ? 'true'
      : `(${['false', ...links.map((column) => `r.${quotedIdentifier(column)} IS NOT NULL`)].join(' OR ')})`
  const values = columns.map(({ name: column, type }) => {
    const own = `TRY_CAST(r.${quotedIdentifier(column)} AS ${type})`
    return `${links.includes(column) ? link(column) : own} AS ${quotedIdentifier(column)}`
  })
  await engine.run(`CREATE TABLE ${ofSource(index, `later_${name}`)} AS SELECT DISTINCT ON (${keyName}) ${values.join(', ')} FROM ${ofSource(index, `read_${name}`)} r
    WHERE ${[...complete, belongs].join(' AND ')} AND r.${keyName} IS NOT NULL AND r.${keyName} NOT IN (SELECT id FROM memory.main.later_known WHERE tbl = '${name}')`)
  await engine.run(`INSERT INTO memory.main.later_known SELECT '${name}', ${keyName} FROM ${ofSource(index, `later_${name}`)}`)
  const { n } = await engine.one(z.object({ n: z.number() }), `SELECT count(*) AS n FROM ${ofSource(index, `later_${name}`)}`)
  return { source: index, table: name, columns, rows: n }
}
