import * as z from 'zod'
import { escapeGlob } from '../arrays/pin-file.ts'
import { appendColumns } from '../engine/append-columns.ts'
import { detach, quotedIdentifier, quotedString } from '../engine/attach-store.ts'
import { columnsOf } from '../engine/attached-tables.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { syncFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { naturalKey } from '../migration/store-schema.ts'
import { type ChainFigures, type FigureRow, figureRowColumns, keptColumns, needsScores, textOfFigure } from '../store/chain-figures.ts'
import { inTransaction } from '../store/store-transaction.ts'
import { describeShapes } from './describe-shapes.ts'
import { literalDefault } from './literal-default.ts'
import {
  byNamedColumns,
  type FigureChange,
  type ForeignKey,
  hasNaturalKey,
  inTableOrder,
  isNaturalKey,
  type MetadataStore,
  type SavedRows,
  type SharedPlace,
  type TableKeys,
  type TableShape,
} from './metadata-store.ts'
import { readIds } from './read-texts.ts'

/** Where a store is attached: its file, and the folder it lies in. */
export interface AttachedAt {
  readonly engine: Engine
  readonly alias: string
  readonly path: string
  readonly root: string
}

/** The rows of a store.duckdb that an engine has attached. */
export class DuckdbMetadata implements MetadataStore {
  readonly fileEnding = 'parquet'
  readonly shapes: ReadonlyMap<string, TableShape>
  readonly #at: AttachedAt
  #hasWritten = false

  private constructor(at: AttachedAt, shapes: ReadonlyMap<string, TableShape>) {
    this.#at = at
    this.shapes = shapes
  }

  static async open(at: AttachedAt): Promise<DuckdbMetadata> {
    return new DuckdbMetadata(at, await describeShapes(at.engine, at.alias))
  }

  get hasWritten(): boolean {
    return this.#hasWritten
  }

  async keysWhere(table: string, column: string, values: readonly string[]): Promise<string[]> {
    const key = this.shapes.get(table)?.key
    if (values.length === 0 || key === undefined || key === null) return []
    await this.#want(values)
    const sql = `SELECT ${quotedIdentifier(key)}::VARCHAR FROM ${this.#table(table)} WHERE ${quotedIdentifier(column)}::VARCHAR IN (${wanted})`
    return (await readIds(this.#at.engine, sql)).sort()
  }

  async valuesIn(table: string, column: string, values: readonly string[]): Promise<ReadonlySet<string>> {
    if (values.length === 0 || this.shapes.get(table)?.columns.includes(column) !== true) return new Set()
    await this.#want(values)
    const text = `${quotedIdentifier(column)}::VARCHAR`
    return new Set(await readIds(this.#at.engine, `SELECT DISTINCT ${text} FROM ${this.#table(table)} WHERE ${text} IN (${wanted})`))
  }

  async textsOf({ table, keys }: TableKeys, column: string): Promise<ReadonlyMap<string, string | null>> {
    await this.#want(keys)
    const key = this.#key(table)
    const sql = `SELECT ${key} AS key, ${quotedIdentifier(column)}::VARCHAR AS text FROM ${this.#table(table)} WHERE ${key} IN (${wanted})`
    const rows = await this.#at.engine.rows(z.object({ key: z.string(), text: z.string().nullable() }), sql)
    return new Map(rows.map(({ key, text }) => [key, text]))
  }

  async saveRows({ table, keys }: TableKeys, path: string): Promise<number> {
    const { engine } = this.#at
    await this.#want(keys)
    const rows = `SELECT * FROM ${this.#table(table)} WHERE ${this.#key(table)} IN (${wanted})`
    await faultPoint({ kind: 'engine-write', path })
    // Dictionaries of doubles would merge −0 with 0.
    await engine.run(
      `COPY (${rows}) TO ${quotedString(path)} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 0)`,
    )
    await syncFile(path)
    const exact = (from: string) => `SELECT COLUMNS(*)::VARCHAR FROM ${from}`
    const { saved, other } = await engine.one(
      z.object({ saved: z.number(), other: z.number() }),
      `SELECT (SELECT count(*) FROM ${fileRows(path)}) AS saved,
        (SELECT count(*) FROM ((${exact(`(${rows})`)}) EXCEPT ALL (${exact(fileRows(path))}))) AS other`,
    )
    if (other === 0 && saved === keys.length) return saved
    throw new StorageError('verification_failed', `The rows of ${table} that were kept in the trash differ. Nothing was removed.`, {
      path,
      hint: 'Try again; if it fails again, check the disk.',
    })
  }

  async readLinks(table: string, path: string, others: readonly string[] = []): Promise<ReadonlyMap<string, string | null>[]> {
    const shape = this.shapes.get(table)
    if (shape === undefined) return []
    const there = new Set(await this.#fileColumns(path))
    const links = [this.#keyName(table), ...shape.parents.map(({ column }) => column), ...others].filter((column) => there.has(column))
    const columns = [...new Set(links)].map((column) => `${quotedIdentifier(column)}::VARCHAR AS ${quotedIdentifier(column)}`)
    const rows = await this.#at.engine.rows(Links, `SELECT ${columns.join(', ')} FROM ${fileRows(path)}`)
    return rows.map((row) => new Map(Object.entries(row)))
  }

  async changedRows({ table, keys, path }: SavedRows): Promise<string[]> {
    const saved = new Set(await this.#fileColumns(path))
    const columns = [this.#keyName(table), ...(this.shapes.get(table)?.columns ?? [])]
    // Columns that the table has got since count only where somebody has written there.
    const defaults = columns.every((column) => saved.has(column)) ? new Map<string, string>() : await this.#defaultsOf(table)
    await this.#want(keys)
    const list = (ofNew: (column: string) => string) =>
      columns.map((column, at) => `${saved.has(column) ? quotedIdentifier(column) : ofNew(column)}::VARCHAR AS c${at}`).join(', ')
    const written = (column: string) => `nullif(${quotedIdentifier(column)}, ${defaults.get(column) ?? 'NULL'})`
    return readIds(
      this.#at.engine,
      `SELECT c0 FROM (SELECT ${list(written)} FROM ${this.#table(table)} WHERE ${this.#key(table)} IN (${wanted})
         EXCEPT SELECT ${list(() => 'NULL')} FROM ${fileRows(path)}) ORDER BY c0`,
    )
  }

  async referredTo(child: string, reference: ForeignKey, keys: readonly string[], going: ReadonlySet<string>): Promise<string[]> {
    const { engine } = this.#at
    const own = this.shapes.get(child)?.key ?? null
    await this.#want(keys)
    await engine.run('CREATE OR REPLACE TEMP TABLE going_keys (key VARCHAR)')
    await appendColumns(engine, { alias: 'temp', table: 'going_keys' }, [{ type: 'varchar', values: [...going] }])
    const same = reference.columns.map(
      (column, at) => `c.${quotedIdentifier(column)} = p.${quotedIdentifier(reference.parentColumns[at] ?? '')}`,
    )
    const stays = own === null ? 'true' : `c.${quotedIdentifier(own)}::VARCHAR NOT IN (SELECT key FROM going_keys)`
    const key = `p.${this.#key(reference.table)}`
    return readIds(
      engine,
      `SELECT DISTINCT ${key} AS id FROM ${this.#table(reference.table)} p JOIN ${this.#table(child)} c ON ${same.join(' AND ')}
       WHERE ${key} IN (${wanted}) AND ${stays} ORDER BY id`,
    )
  }

  async twinsOf(predictions: readonly string[]): Promise<string[]> {
    if (!hasNaturalKey(this.shapes)) return []
    await this.#want(predictions)
    const all = this.#table('predictions')
    const key = this.#key('predictions')
    const counted = `SELECT ${key} AS id, count(*) OVER same AS n, bool_or(${key} IN (${wanted})) OVER same AS is_asked FROM ${all}
      WHERE pipeline_id IN (SELECT pipeline_id FROM ${all} WHERE ${key} IN (${wanted})) WINDOW same AS (PARTITION BY ${naturalKeyNames.join(', ')})`
    return readIds(this.#at.engine, `SELECT id FROM (${counted}) WHERE n > 1 AND is_asked ORDER BY id`)
  }

  async sharedPlaces({ keys, path }: SavedRows): Promise<SharedPlace[]> {
    const saved = await this.#fileColumns(path)
    if (!hasNaturalKey(this.shapes) || !naturalKey.every((column) => saved.includes(column))) return []
    await this.#want(keys)
    const names = naturalKeyNames.join(', ')
    const same = naturalKeyNames.map((column) => `p.${column} IS NOT DISTINCT FROM s.${column}`)
    const isWhole = naturalKeyNames.map((column) => `s.${column} IS NOT NULL`).join(' AND ')
    const coming = `SELECT ${names}, list(prediction_id::VARCHAR ORDER BY prediction_id) AS ids FROM ${fileRows(path)}
      WHERE prediction_id::VARCHAR IN (${wanted}) GROUP BY ALL`
    return this.#at.engine.rows(
      Place,
      `SELECT s.ids, coalesce(list(p.prediction_id::VARCHAR ORDER BY p.prediction_id) FILTER (p.prediction_id IS NOT NULL), []) AS holders,
         ${await this.#hasUniqueKey()} AND ${isWhole} AS "isUnique"
       FROM (${coming}) s LEFT JOIN ${this.#table('predictions')} p ON ${same.join(' AND ')} AND p.prediction_id::VARCHAR NOT IN (${wanted})
       GROUP BY ${naturalKeyNames.map((column) => `s.${column}`).join(', ')}, s.ids HAVING len(s.ids) + len(holders) > 1 ORDER BY s.ids`,
    )
  }

  async #hasUniqueKey(): Promise<boolean> {
    const { engine, alias } = this.#at
    const sql = `SELECT expressions FROM duckdb_indexes() WHERE database_name = $alias AND schema_name = 'main' AND table_name = 'predictions' AND is_unique`
    const indexes = await engine.rows(z.object({ expressions: z.string() }), sql, { alias })
    return indexes.some(({ expressions }) => isNaturalKey(expressions.replaceAll(/["'[\]]/g, '').split(', ')))
  }

  async commentOn(table: string): Promise<string | null> {
    const { engine, alias } = this.#at
    const sql = `SELECT comment FROM duckdb_tables() WHERE database_name = $alias AND schema_name = 'main' AND table_name = $table`
    const [found] = await engine.rows(z.object({ comment: z.string().nullable() }), sql, { alias, table })
    return found?.comment ?? null
  }

  async figuresOf(chains: readonly string[]): Promise<ReadonlyMap<string, ChainFigures>> {
    const columns = this.#figureColumns().map((column) => `${column}::VARCHAR AS ${column}`)
    if (columns.length === 0) return new Map()
    await this.#want(chains)
    const rows = await this.#at.engine.rows(
      Links,
      `SELECT ${['chain_id::VARCHAR AS chain_id', ...columns].join(', ')} FROM ${this.#table('chains')} WHERE chain_id::VARCHAR IN (${wanted})`,
    )
    return new Map(rows.map(({ chain_id, ...figures }) => [chain_id ?? '', figures]))
  }

  async figureRowsOf(chains: readonly string[]): Promise<FigureRow[]> {
    await this.#want(chains)
    const or = (table: string, column: string) =>
      this.shapes.get(table)?.columns.includes(column) === true ? `${table}.${column}` : 'NULL'
    return this.#at.engine.rows(
      PredictionRow,
      `SELECT * REPLACE (chain_id::VARCHAR AS chain_id, prediction_id::VARCHAR AS prediction_id) FROM (
       SELECT ${figureRowColumns}, ${or('predictions', 'refit_context')} IS NOT NULL AS is_refit,
         CASE WHEN ${needsScores(or('predictions', 'refit_context'))} THEN ${or('predictions', 'scores')}::VARCHAR END AS scores,
         ${or('chains', 'metric')} AS chain_metric, ${or('chains', 'dataset_name')} AS chain_dataset
       FROM ${this.#table('predictions')} LEFT JOIN ${this.#table('chains')} USING (chain_id)
       WHERE predictions.chain_id::VARCHAR IN (${wanted})) ORDER BY prediction_id`,
    )
  }

  async writeFigures(changes: readonly FigureChange[]): Promise<void> {
    for (const { named, group } of byNamedColumns(changes, this.#figureColumns())) await this.#writeColumns(group, named)
  }

  async #writeColumns(changes: readonly FigureChange[], columns: readonly (keyof ChainFigures)[]): Promise<void> {
    const { engine } = this.#at
    const names = columns.flatMap((column) => [`old_${column} VARCHAR`, `new_${column} VARCHAR`])
    await engine.run(`CREATE OR REPLACE TEMP TABLE figure_changes (id VARCHAR, ${names.join(', ')})`)
    const texts = (of: (change: FigureChange) => string | null) => ({ type: 'varchar' as const, values: changes.map(of) })
    await appendColumns(engine, { alias: 'temp', table: 'figure_changes' }, [
      texts(({ chain_id }) => chain_id),
      ...columns.flatMap((column) => [
        texts(({ before }) => textOfFigure(before[column])),
        texts(({ after }) => textOfFigure(after[column])),
      ]),
    ])
    const types = new Map((await columnsOf(engine, this.#table('chains'))).map(({ name, type }) => [name, type]))
    const set = columns.map((column) => `${column} = f.new_${column}::${types.get(column) ?? 'VARCHAR'}`)
    const same = columns.map((column) => `chains.${column}::VARCHAR IS NOT DISTINCT FROM f.old_${column}`)
    await engine.run(
      `UPDATE ${this.#table('chains')} SET ${set.join(', ')} FROM temp.main.figure_changes f WHERE chains.chain_id::VARCHAR = f.id AND ${same.join(' AND ')}`,
    )
  }

  async deleteRows(rows: readonly TableKeys[], figures: readonly FigureChange[]): Promise<void> {
    const { engine, path, root } = this.#at
    // One transaction per table: rows deleted in the same transaction still count as referring to their parents.
    for (const { table, keys } of inTableOrder(this.shapes, rows).reverse()) {
      if (keys.length === 0) continue
      await this.#want(keys)
      await faultPoint({ kind: 'engine-write', path })
      this.#hasWritten = true
      await inTransaction(engine, async () => {
        await engine.run(`DELETE FROM ${this.#table(table)} WHERE ${this.#key(table)} IN (${wanted})`)
        if (table === 'predictions') await this.writeFigures(figures)
      })
      await syncFolder(root)
    }
    await this.#checkpoint()
  }

  async insertRows(rows: readonly SavedRows[], beforeCommit: () => Promise<void>): Promise<void> {
    const { engine, path, root } = this.#at
    const statements = await Promise.all(inTableOrder(this.shapes, rows).map(async (part) => ({ part, sql: await this.#insertSql(part) })))
    await engine.run('CREATE OR REPLACE TEMP TABLE inserting (tbl VARCHAR, key VARCHAR)')
    for (const { table, keys } of rows) {
      await appendColumns(engine, { alias: 'temp', table: 'inserting' }, [
        { type: 'varchar', values: keys.map(() => table) },
        { type: 'varchar', values: keys },
      ])
    }
    await engine.run('BEGIN TRANSACTION')
    try {
      for (const { sql } of statements) await engine.run(sql)
      await beforeCommit()
      await faultPoint({ kind: 'engine-write', path })
      this.#hasWritten = true
      await engine.run('COMMIT')
    } catch (error) {
      // A commit that has failed has rolled back by itself.
      await engine.run('ROLLBACK').catch(() => undefined)
      throw asConflict(error)
    }
    await syncFolder(root)
    await this.#checkpoint()
  }

  async close(): Promise<void> {
    await detach(this.#at.engine, this.#at.alias)
  }

  async #insertSql({ table, path, emptied }: SavedRows): Promise<string> {
    const generated = await this.#generatedColumns(table)
    const there = (await this.#fileColumns(path)).filter((column) => !generated.has(column))
    const columns = there.map(quotedIdentifier).join(', ')
    const values = there.map((name) => (name === emptied?.column ? emptiedSql(name, emptied.values) : quotedIdentifier(name)))
    const key = this.#key(table)
    return `INSERT INTO ${this.#table(table)} (${columns}) SELECT ${values.join(', ')} FROM ${fileRows(path)}
      WHERE ${key} IN (SELECT key FROM inserting WHERE tbl = ${quotedString(table)}) AND ${key} NOT IN (SELECT ${key} FROM ${this.#table(table)})`
  }

  async #fileColumns(path: string): Promise<string[]> {
    const sql = `SELECT column_name AS name FROM (DESCRIBE SELECT * FROM ${fileRows(path)})`
    return (await this.#at.engine.rows(z.object({ name: z.string() }), sql)).map(({ name }) => name)
  }

  /** What the store works out itself, and takes from nobody: DuckDB gives its expression as a default in one place, and not in the other. */
  async #generatedColumns(table: string): Promise<ReadonlySet<string>> {
    const { engine, alias } = this.#at
    const at = "WHERE database_name = $alias AND schema_name = 'main' AND table_name = $table"
    const { any } = await engine.one(
      z.object({ any: z.boolean() }),
      `SELECT count(*) > 0 AS "any" FROM duckdb_tables() ${at} AND sql ILIKE '%generated always%'`,
      { alias, table },
    )
    if (!any) return new Set()
    const plain = `SELECT column_name FROM (DESCRIBE ${this.#table(table)}) WHERE "default" IS NOT NULL`
    const sql = `SELECT column_name AS name FROM duckdb_columns() ${at} AND column_default IS NOT NULL AND column_name NOT IN (${plain})`
    return new Set((await engine.rows(z.object({ name: z.string() }), sql, { alias, table })).map(({ name }) => name))
  }

  async #defaultsOf(table: string): Promise<ReadonlyMap<string, string>> {
    const { engine, alias } = this.#at
    const sql = `SELECT column_name AS name, data_type AS type, column_default AS text FROM duckdb_columns()
      WHERE database_name = $alias AND schema_name = 'main' AND table_name = $table`
    const rows = await engine.rows(Default, sql, { alias, table })
    return new Map(rows.map(({ name, type, text }) => [name, `(${literalDefault(text)})::${type}`]))
  }

  async #checkpoint(): Promise<void> {
    await faultPoint({ kind: 'engine-write', path: this.#at.path })
    await this.#at.engine.run(`CHECKPOINT ${quotedIdentifier(this.#at.alias)}`)
    await syncFolder(this.#at.root)
  }

  async #want(values: readonly string[]): Promise<void> {
    await this.#at.engine.run('CREATE OR REPLACE TEMP TABLE wanted_keys (key VARCHAR)')
    await appendColumns(this.#at.engine, { alias: 'temp', table: 'wanted_keys' }, [{ type: 'varchar', values: [...new Set(values)] }])
  }

  #figureColumns() {
    const there = this.shapes.get('chains')?.columns ?? []
    return keptColumns.filter((column) => there.includes(column))
  }

  #table(name: string): string {
    return `${quotedIdentifier(this.#at.alias)}.main.${quotedIdentifier(name)}`
  }

  #keyName(table: string): string {
    const key = this.shapes.get(table)?.key
    if (key === undefined || key === null) throw new Error(`Rows of ${table} have no key.`)
    return key
  }

  /** As text, as which keys travel: another program may have numbers for them. */
  #key(table: string): string {
    return `${quotedIdentifier(this.#keyName(table))}::VARCHAR`
  }
}

const Place = z.object({ ids: z.array(z.string()), holders: z.array(z.string()), isUnique: z.boolean() })
const wanted = 'SELECT key FROM wanted_keys'
const naturalKeyNames = naturalKey.map(quotedIdentifier)
/** Any number of the engine: NaN and Infinity are values here. */
const double = z.custom<number | null>((value) => value === null || typeof value === 'number')
const PredictionRow = z.object({
  chain_id: z.string(),
  prediction_id: z.string(),
  fold_id: z.string(),
  partition: z.string(),
  val_score: double,
  test_score: double,
  train_score: double,
  is_refit: z.boolean(),
  scores: z.string().nullable(),
  metric: z.string(),
  dataset_name: z.string(),
  chain_metric: z.string().nullable(),
  chain_dataset: z.string().nullable(),
})
const Default = z.object({ name: z.string(), type: z.string(), text: z.string().nullable() })
const Links = z.record(z.string(), z.string().nullable())

const emptiedSql = (column: string, values: readonly string[]): string => {
  const name = quotedIdentifier(column)
  return values.length === 0 ? name : `CASE WHEN ${name} IN (${values.map(quotedString).join(', ')}) THEN NULL ELSE ${name} END`
}

const fileRows = (path: string): string => `read_parquet(${quotedString(escapeGlob(path))}, hive_partitioning = false)`

const asConflict = (error: unknown): unknown => {
  if (!(error instanceof Error) || !/^(Constraint|TransactionContext) Error/.test(error.message)) return error
  return new StorageError(
    'restore_conflict',
    `The store does not take the rows back: ${(error.message.split('\n')[0] ?? '').slice(0, 300)}. Nothing was restored.`,
    { hint: 'Remove what has taken their place, or put back what they belong to, then restore again.' },
    error,
  )
}
