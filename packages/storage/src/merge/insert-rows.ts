import * as z from 'zod'
import { type CatalogColumn, storeTables } from '../catalog/catalog-schema.ts'
import { quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { attachedTables, columnsOf } from '../engine/attached-tables.ts'
import { DuckdbMetadata } from '../maintenance/duckdb-metadata.ts'
import { readIds } from '../maintenance/read-texts.ts'
import { refreshChains } from '../store/refresh-chains.ts'
import { inTransaction } from '../store/store-transaction.ts'
import { type LaterRows, laterStatements } from './later-tables.ts'
import { goneIds } from './match-predictions.ts'
import type { MergeJournal } from './merge-journal.ts'
import { commentWith } from './merge-mark.ts'
import { asJson } from './merge-sql.ts'
import type { OpenMerge } from './open-merge.ts'
import { arrivals } from './place-predictions.ts'
import { recountReferences } from './recount-references.ts'
import { keyOf, type LineageTable, lineageTables, ofSource } from './source-views.ts'
import { findTouchedChains } from './touched-chains.ts'

/** The store that the rows go to, attached for writing. */
export const targetAlias = 'target'

type Table = LineageTable | 'predictions'
const order: readonly Table[] = ['projects', 'runs', 'pipelines', 'chains', 'predictions', 'artifacts', 'logs']

/**
 * Removes what gives way and inserts what comes, in one transaction of the attached store; chains whose predictions change get the figures of
 * those that they have then, models their references. Columns of later releases that hold something are
 * added to its tables. Leaves the mark of the merge. Fails as a whole or not at all.
 */
export const insertRows = async (merge: OpenMerge, later: readonly LaterRows[], mark: string | null): Promise<void> => {
  const { engine } = merge
  const statements: string[] = [`DELETE FROM ${targetAlias}.main.predictions WHERE prediction_id IN (${goneIds})`]
  for (const table of order) {
    const there = new Map((await columnsOf(engine, `${targetAlias}.main.${table}`)).map(({ name, type }) => [name, type]))
    const added = await columnsToAdd(merge, table, there)
    statements.push(
      ...added.map(({ name, type }) => `ALTER TABLE ${targetAlias}.main.${table} ADD COLUMN ${quotedIdentifier(name)} ${type}`),
    )
    for (const column of added) there.set(column.name, column.type)
    for (const { index } of merge.sources) statements.push(insertSql(table, index, there))
    if (table === 'artifacts' && there.has('ref_count')) statements.push(await recountReferences(merge, `${targetAlias}.main.artifacts`))
  }
  statements.push(...laterStatements(later, targetAlias, later.length === 0 ? new Map() : await attachedTables(engine, targetAlias)))
  const attached = { engine, alias: targetAlias, path: '', root: '' }
  const metadata = await DuckdbMetadata.open(attached)
  if (mark !== null) {
    const comment = commentWith(mark, await metadata.commentOn('predictions'))
    statements.push(`COMMENT ON TABLE ${targetAlias}.main.predictions IS ${quotedString(comment)}`)
  }
  const touched = await findTouchedChains(merge, metadata)
  await inTransaction(engine, async () => {
    for (const statement of statements) await engine.run(statement)
    await refreshChains(await DuckdbMetadata.open(attached), [...touched.keys()], touched)
  })
}

const columnsToAdd = async ({ engine, sources }: OpenMerge, table: Table, there: ReadonlyMap<string, string>): Promise<CatalogColumn[]> => {
  const absent = storeTables[table].filter(({ name }) => !there.has(name))
  if (absent.length === 0) return []
  const counts = absent.map(({ name }) => `count(${quotedIdentifier(name)}) AS ${quotedIdentifier(name)}`).join(', ')
  const added = new Set<string>()
  for (const { index } of sources) {
    const found = await engine.one(z.record(z.string(), z.number()), `SELECT ${counts} FROM (${comingRows(table, index)})`)
    for (const { name } of absent) if ((found[name] ?? 0) > 0) added.add(name)
  }
  return absent.filter(({ name }) => added.has(name))
}

/** The rows of a table that come, with `new_id` and what else they are to hold instead of what they held. */
const comingRows = (table: Table, source: number): string => {
  const own = (name: string) => ofSource(source, name)
  if (table === 'predictions') {
    return `SELECT p.*, a.new_id, a.pipeline_id AS new_pipeline, a.new_chain FROM ${own('predictions')} p JOIN ${arrivals(source)} a ON a.id = p.prediction_id`
  }
  const rows = `SELECT r.*, m.new_id FROM ${own(table)} r JOIN ${own('map')} m ON m.tbl = '${table}' AND m.old_id = r.${keyOf[table]} AND m.action = 'insert'`
  if (table !== 'chains') return rows
  return `${rows} UNION ALL SELECT r.*, c.new_id FROM ${own('chains')} r JOIN ${own('copies')} c ON c.old_id = r.chain_id`
}

const insertSql = (table: Table, source: number, there: ReadonlyMap<string, string>): string => {
  const columns = storeTables[table].filter(({ name }) => there.has(name))
  const values = columns.map(({ name }) => {
    const value = valueFor(table, source, name)
    return there.get(name) === 'JSON' ? asJson(value) : value
  })
  const names = columns.map(({ name }) => quotedIdentifier(name)).join(', ')
  return `INSERT INTO ${targetAlias}.main.${table} (${names}) SELECT ${values.join(', ')} FROM (${comingRows(table, source)}) r ${joinsOf(table, source)}`
}

const mapped = (source: number, table: LineageTable, column: string) =>
  `(SELECT new_id FROM ${ofSource(source, 'map')} x WHERE x.tbl = '${table}' AND x.old_id = r.${column} AND x.action <> 'leave')`

/** What a column of the target gets: ids in their new form, something where the target insists on it, else what the source has. */
const valueFor = (table: Table, source: number, column: string): string => {
  const special: Partial<Record<Table, Record<string, string>>> = {
    runs: { project_id: mapped(source, 'projects', 'project_id'), config: 'coalesce(w.config, r.config)' },
    pipelines: { run_id: mapped(source, 'runs', 'run_id') },
    chains: {
      pipeline_id: mapped(source, 'pipelines', 'pipeline_id'),
      steps: `coalesce(w.steps, r.steps, '[]')`,
      model_step_idx: 'coalesce(r.model_step_idx, 0)',
      fold_artifacts: 'coalesce(w.fold_artifacts, r.fold_artifacts)',
      shared_artifacts: 'coalesce(w.shared_artifacts, r.shared_artifacts)',
    },
    predictions: { pipeline_id: 'r.new_pipeline', chain_id: 'r.new_chain' },
    artifacts: { artifact_path: 'coalesce(w.path, r.artifact_path)' },
    logs: { pipeline_id: mapped(source, 'pipelines', 'pipeline_id'), step_idx: 'coalesce(r.step_idx, 0)', event: `coalesce(r.event, '')` },
  }
  if (column === keyOf[table]) return 'r.new_id'
  return special[table]?.[column] ?? `r.${quotedIdentifier(column)}`
}

const joinsOf = (table: Table, source: number): string => {
  if (table === 'runs') return `LEFT JOIN ${ofSource(source, 'lineage')} w ON w.run_id = r.run_id`
  if (table === 'chains') return `LEFT JOIN ${ofSource(source, 'rewritten')} w ON w.chain_id = r.chain_id`
  if (table === 'artifacts') return `LEFT JOIN ${ofSource(source, 'paths')} w ON w.artifact_id = r.artifact_id`
  return ''
}

const mostEvidence = 1000

/**
 * Rows by which a later look at the store tells whether the transaction is done, predictions if any come, results of later releases if nothing
 * else does; null when it changes no row.
 */
export const chooseEvidence = async ({ engine, sources }: OpenMerge, later: readonly LaterRows[]): Promise<MergeJournal['evidence']> => {
  const coming = sources.flatMap(({ index }) => [
    `SELECT 'predictions' AS tbl, new_id AS id FROM ${arrivals(index)}`,
    `SELECT tbl, new_id FROM ${ofSource(index, 'map')} WHERE action = 'insert'`,
  ])
  const found = await engine.rows(
    z.object({ tbl: z.enum([...lineageTables, 'predictions']), id: z.string() }),
    `SELECT * FROM (${coming.join(' UNION ALL ')}) ORDER BY tbl <> 'predictions', tbl, id LIMIT ${mostEvidence}`,
  )
  const [first] = found
  if (first === undefined) return laterEvidence(engine, later)
  const ids = found.filter(({ tbl }) => tbl === first.tbl).map(({ id }) => id)
  const removed = await readIds(engine, `SELECT id FROM (${goneIds}) ORDER BY id LIMIT ${mostEvidence}`)
  return { table: first.tbl, key: keyOf[first.tbl], ids, removed }
}

const laterEvidence = async (engine: OpenMerge['engine'], later: readonly LaterRows[]): Promise<MergeJournal['evidence']> => {
  const [first] = later
  const key = first?.columns[0]?.name
  if (first === undefined || key === undefined) return null
  const id = `${quotedIdentifier(key)}::VARCHAR`
  const ids = await readIds(
    engine,
    `SELECT ${id} AS id FROM ${ofSource(first.source, `later_${first.table}`)} ORDER BY id LIMIT ${mostEvidence}`,
  )
  return { table: first.table, key, ids, removed: [] }
}
