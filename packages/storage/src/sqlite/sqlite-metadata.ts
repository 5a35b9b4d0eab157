import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import * as z from 'zod'
import { StorageError } from '../errors.ts'
import { createFile, syncFolder } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { literalDefault } from '../maintenance/literal-default.ts'
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
} from '../maintenance/metadata-store.ts'
import { naturalKey } from '../migration/store-schema.ts'
import { type ChainFigures, type FigureRow, figureRowColumns, keptColumns, needsScores } from '../store/chain-figures.ts'
import { describeShapes } from './describe-shapes.ts'
import { asNumber, asText } from './read-table.ts'
import { decodeRow, decodeValue, encodeRow, encodeValue, isSameRow, type SavedRow, type SqliteRow } from './saved-row.ts'

const batchRows = 500

/** The rows of a store.sqlite. For writing it holds the write lock from the beginning: `open` waits five seconds for it. */
export class SqliteMetadata implements MetadataStore {
  readonly fileEnding = 'jsonl'
  readonly shapes: ReadonlyMap<string, TableShape>
  readonly #database: DatabaseSync
  #hasWritten = false
  readonly #at: { readonly path: string; readonly root: string }

  private constructor(database: DatabaseSync, at: { path: string; root: string }) {
    this.#database = database
    this.#at = at
    this.shapes = describeShapes(database)
  }

  /** Over a database that somebody else has opened, for looking. */
  static over(database: DatabaseSync, at: { path: string; root: string }): SqliteMetadata {
    return new SqliteMetadata(database, at)
  }

  static open(at: { path: string; root: string }): SqliteMetadata {
    const database = new DatabaseSync(at.path, { enableForeignKeyConstraints: true })
    try {
      database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL')
      database.exec('BEGIN IMMEDIATE')
      return new SqliteMetadata(database, at)
    } catch (error) {
      database.close()
      throw asLocked(error)
    }
  }

  get hasWritten(): boolean {
    return this.#hasWritten
  }

  async keysWhere(table: string, column: string, values: readonly string[]): Promise<string[]> {
    const key = this.shapes.get(table)?.key
    if (key === undefined || key === null) return []
    const found: string[] = []
    for (let start = 0; start < values.length; start += batchRows) {
      const batch = values.slice(start, start + batchRows)
      const text = `CAST(${quoted(key)} AS TEXT)`
      // Compared with a text of no affinity, as keys are bound: in a column without a type a number equals none.
      const sql = `SELECT ${text} AS key, typeof(${quoted(key)}) AS kind, ${quoted(key)} = ${text} || '' AS is_found FROM ${quoted(table)} WHERE ${quoted(column)} IN (${batch.map(() => '?').join(', ')})`
      found.push(
        ...this.#database
          .prepare(sql)
          .all(...batch)
          .flatMap((row) => keyOfRow(table, row)),
      )
    }
    return [...new Set(found)].sort()
  }

  async valuesIn(table: string, column: string, values: readonly string[]): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    if (this.shapes.get(table)?.columns.includes(column) !== true) return found
    for (const batch of batches(values)) {
      const places = batch.map(() => '?').join(', ')
      const sql = `SELECT DISTINCT ${quoted(column)} AS value FROM ${quoted(table)} WHERE ${quoted(column)} IN (${places})`
      for (const { value } of this.#database.prepare(sql).all(...batch)) found.add(asText(value ?? null) ?? '')
    }
    return found
  }

  async textsOf({ table, keys }: TableKeys, column: string): Promise<ReadonlyMap<string, string | null>> {
    const found = new Map<string, string | null>()
    const find = this.#database.prepare(`SELECT ${quoted(column)} AS value FROM ${quoted(table)} WHERE ${quoted(this.#keyOf(table))} = ?`)
    find.setReadBigInts(true)
    for (const key of keys) {
      const row = find.get(key)
      if (row !== undefined) found.set(key, asText(row.value ?? null))
    }
    return found
  }

  async saveRows({ table, keys }: TableKeys, path: string): Promise<number> {
    const file = await createFile(path)
    let saved = 0
    try {
      for (const rows of this.#rowsOf(table, keys)) {
        saved += rows.length
        await file.append([Buffer.from(rows.map((row) => `${oneLine(encodeRow(row))}\n`).join(''))])
      }
      await file.finish()
    } finally {
      await file.close()
    }
    if (saved !== keys.length || !(await this.#isSaved(table, keys, path))) {
      throw new StorageError('verification_failed', `The rows of ${table} that were kept in the trash differ. Nothing was removed.`, {
        path,
        hint: 'Try again; if it fails again, check the disk.',
      })
    }
    return saved
  }

  async readLinks(table: string, path: string, others: readonly string[] = []): Promise<ReadonlyMap<string, string | null>[]> {
    const shape = this.shapes.get(table)
    if (shape === undefined) return []
    const columns = [...new Set([shape.key ?? '', ...shape.parents.map(({ column }) => column), ...others])]
    const links: ReadonlyMap<string, string | null>[] = []
    for await (const row of savedRows(path)) {
      links.push(
        new Map(
          columns.map((column) => {
            const value = row[column]
            return [column, value === null || value === undefined ? null : String(value)] as const
          }),
        ),
      )
    }
    return links
  }

  async changedRows({ table, keys, path }: SavedRows): Promise<string[]> {
    const key = this.#keyOf(table)
    const columns = this.shapes.get(table)?.columns ?? []
    const chosen = new Set(keys)
    const missing = new Set(keys)
    const changed: string[] = []
    let find: StatementSync | undefined
    for await (const saved of savedRows(path)) {
      const own = asKey(saved[key])
      if (own === null || !chosen.has(own)) continue
      missing.delete(own)
      find ??= this.#findSaved(table, saved)
      const row = find.get(own)
      const before = Object.fromEntries(columns.map((column) => [column, saved[column] ?? null]))
      if (row !== undefined && !isSameRow(row, before)) changed.push(own)
    }
    // What the trash does not hold is as little the same as what differs.
    return [...changed, ...(await this.keysWhere(table, key, [...missing]))]
  }

  async referredTo(child: string, reference: ForeignKey, keys: readonly string[], going: ReadonlySet<string>): Promise<string[]> {
    const [key, own] = [this.#keyOf(reference.table), this.shapes.get(child)?.key ?? null]
    const same = reference.columns.map((column, at) => `c.${quoted(column)} = p.${quoted(reference.parentColumns[at] ?? '')}`)
    const found = new Set<string>()
    // All keys at once: without an index the child is read from end to end each time.
    const rows = this.#database
      .prepare(
        `SELECT CAST(p.${quoted(key)} AS TEXT) AS key, ${own === null ? 'NULL' : `CAST(c.${quoted(own)} AS TEXT)`} AS own
         FROM ${quoted(reference.table)} p JOIN ${quoted(child)} c ON ${same.join(' AND ')}
         WHERE p.${quoted(key)} IN (SELECT value FROM json_each(?))`,
      )
      .iterate(JSON.stringify(keys))
    for (const row of rows) if (typeof row.own !== 'string' || !going.has(row.own)) found.add(String(row.key))
    return [...found].sort()
  }

  async twinsOf(predictions: readonly string[]): Promise<string[]> {
    if (!hasNaturalKey(this.shapes)) return []
    const twins = this.#database.prepare(
      `SELECT CAST(o.prediction_id AS TEXT) AS id FROM predictions p JOIN predictions o ON ${sameKey('o', (column) => `p.${column}`)}
         AND o.prediction_id <> p.prediction_id WHERE p.prediction_id = ?`,
    )
    const found = new Set<string>()
    for (const id of predictions) {
      if (found.has(id)) continue
      const others = twins.all(id).map((row) => String(row.id))
      for (const one of others.length === 0 ? [] : [id, ...others]) found.add(one)
    }
    return [...found].sort()
  }

  async sharedPlaces({ keys, path }: SavedRows): Promise<SharedPlace[]> {
    if (!hasNaturalKey(this.shapes)) return []
    const chosen = new Set(keys)
    const held = this.#database.prepare(
      `SELECT CAST(p.prediction_id AS TEXT) AS id FROM predictions p WHERE ${sameKey('p', () => '?')} ORDER BY p.prediction_id`,
    )
    const hasUniqueKey = this.#hasUniqueKey()
    const places = new Map<string, { ids: string[]; holders: string[]; isUnique: boolean }>()
    for await (const row of savedRows(path)) {
      const id = asKey(row.prediction_id)
      if (id === null || !chosen.has(id)) continue
      const key = naturalKey.map((column) => row[column] ?? null)
      const text = JSON.stringify(key.map(encodeValue))
      const place = places.get(text)
      if (place !== undefined) place.ids.push(id)
      else {
        const holders = held.all(...key).map((one) => String(one.id))
        places.set(text, { ids: [id], holders: holders.filter((one) => !chosen.has(one)), isUnique: hasUniqueKey && !key.includes(null) })
      }
    }
    return [...places.values()].filter(({ ids, holders }) => ids.length + holders.length > 1)
  }

  #hasUniqueKey(): boolean {
    const indexes = this.#database.prepare(`SELECT name FROM pragma_index_list('predictions') WHERE "unique"`).all()
    const columns = this.#database.prepare('SELECT name FROM pragma_index_info(?)')
    return indexes.some(({ name }) => isNaturalKey(columns.all(String(name)).map((column) => String(column.name))))
  }

  async commentOn(): Promise<null> {
    return null
  }

  async figuresOf(chains: readonly string[]): Promise<ReadonlyMap<string, ChainFigures>> {
    const columns = this.#figureColumns()
    const found = new Map<string, ChainFigures>()
    if (columns.length === 0) return found
    for (const batch of batches(chains)) {
      const sql = `SELECT ${['chain_id', ...columns].join(', ')} FROM chains WHERE chain_id IN (${batch.map(() => '?').join(', ')})`
      const statement = this.#database.prepare(sql)
      statement.setReadBigInts(true)
      for (const row of statement.all(...batch)) {
        found.set(String(row.chain_id), Object.fromEntries(columns.map((column) => [column, encodeValue(row[column] ?? null)])))
      }
    }
    return found
  }

  async figureRowsOf(chains: readonly string[]): Promise<FigureRow[]> {
    const or = (table: string, column: string) =>
      this.shapes.get(table)?.columns.includes(column) === true ? `${table}.${column}` : 'NULL'
    const found: FigureRow[] = []
    for (const batch of batches(chains)) {
      const statement = this.#database.prepare(
        `SELECT ${figureRowColumns}, ${or('predictions', 'refit_context')} AS refit_context,
             CASE WHEN ${needsScores(or('predictions', 'refit_context'))} THEN ${or('predictions', 'scores')} END AS scores,
             ${or('chains', 'metric')} AS chain_metric, ${or('chains', 'dataset_name')} AS chain_dataset
           FROM predictions LEFT JOIN chains USING (chain_id)
           WHERE predictions.chain_id IN (${batch.map(() => '?').join(', ')}) ORDER BY predictions.prediction_id`,
      )
      statement.setReadBigInts(true)
      found.push(...statement.all(...batch).map(figureRow))
    }
    return found
  }

  async writeFigures(changes: readonly FigureChange[]): Promise<void> {
    for (const { named, group } of byNamedColumns(changes, this.#figureColumns())) {
      const update = this.#database.prepare(
        `UPDATE chains SET ${named.map((column) => `${column} = ?`).join(', ')}
         WHERE chain_id = ? AND ${named.map((column) => `${column} IS ?`).join(' AND ')}`,
      )
      const values = (figures: ChainFigures) => named.map((column) => decodeValue(figures[column] ?? null))
      for (const { chain_id, before, after } of group) update.run(...values(after), chain_id, ...values(before))
    }
  }

  async deleteRows(rows: readonly TableKeys[], figures: readonly FigureChange[]): Promise<void> {
    for (const { table, keys } of inTableOrder(this.shapes, rows).reverse()) {
      const key = this.#keyOf(table)
      for (let start = 0; start < keys.length; start += batchRows) {
        const batch = keys.slice(start, start + batchRows)
        this.#database.prepare(`DELETE FROM ${quoted(table)} WHERE ${quoted(key)} IN (${batch.map(() => '?').join(', ')})`).run(...batch)
      }
    }
    await this.writeFigures(figures)
    await this.#commit()
  }

  async insertRows(rows: readonly SavedRows[], beforeCommit: () => Promise<void>): Promise<void> {
    try {
      for (const part of inTableOrder(this.shapes, rows)) await this.#insert(part)
      await beforeCommit()
      await this.#commit()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw asConflict(error)
    }
  }

  async close(): Promise<void> {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    this.#database.close()
  }

  async #insert({ table, keys, path, emptied }: SavedRows): Promise<void> {
    const key = this.#keyOf(table)
    const empty = new Set<string | null>(emptied?.values)
    const isEmptied = (row: SavedRow, column: string) => column === emptied?.column && empty.has(asKey(row[column]))
    const cellOf = (row: SavedRow, column: string) => (isEmptied(row, column) ? null : (row[column] ?? null))
    const chosen = new Set(keys)
    const generated = this.#generatedColumns(table)
    const isThere = this.#database.prepare(`SELECT 1 FROM ${quoted(table)} WHERE ${quoted(key)} = ?`)
    for await (const row of savedRows(path)) {
      const own = asKey(row[key])
      if (own === null || !chosen.has(own) || isThere.get(own) !== undefined) continue
      const columns = Object.keys(row).filter((column) => !generated.has(column))
      const sql = `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
      this.#database.prepare(sql).run(...columns.map((column) => cellOf(row, column)))
    }
  }

  /** What the store works out itself, and takes from nobody. */
  #generatedColumns(table: string): ReadonlySet<string> {
    const rows = this.#database.prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)').all(table)
    return new Set(rows.map(({ name }) => String(name)))
  }

  async #commit(): Promise<void> {
    await faultPoint({ kind: 'engine-write', path: this.#at.path })
    this.#hasWritten = true
    this.#database.exec('COMMIT')
    await syncFolder(this.#at.root)
    await faultPoint({ kind: 'engine-write', path: this.#at.path })
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** The row of a key as it would have been saved: columns that the table has got since are empty unless somebody has written there. */
  #findSaved(table: string, saved: SavedRow): StatementSync {
    const described = z.array(Default).parse(this.#database.prepare('SELECT name, dflt_value FROM pragma_table_info(?)').all(table))
    const columns = described.map(({ name, dflt_value }) =>
      Object.hasOwn(saved, name)
        ? quoted(name)
        : `CASE WHEN ${quoted(name)} = ${literalDefault(dflt_value)} THEN NULL ELSE ${quoted(name)} END AS ${quoted(name)}`,
    )
    const find = this.#database.prepare(`SELECT ${columns.join(', ')} FROM ${quoted(table)} WHERE ${quoted(this.#keyOf(table))} = ?`)
    find.setReadBigInts(true)
    return find
  }

  *#rowsOf(table: string, keys: readonly string[]): Generator<SqliteRow[]> {
    const key = this.#keyOf(table)
    for (let start = 0; start < keys.length; start += batchRows) {
      const batch = keys.slice(start, start + batchRows)
      const statement = this.#database.prepare(
        `SELECT * FROM ${quoted(table)} WHERE ${quoted(key)} IN (${batch.map(() => '?').join(', ')}) ORDER BY ${quoted(key)}`,
      )
      // As integers are told from reals by this, both come back as what they were.
      statement.setReadBigInts(true)
      yield statement.all(...batch)
    }
  }

  async #isSaved(table: string, keys: readonly string[], path: string): Promise<boolean> {
    const saved = savedRows(path)
    for (const rows of this.#rowsOf(table, keys)) {
      for (const row of rows) {
        const next = await saved.next()
        if (next.done === true || !isSameRow(row, next.value)) return false
      }
    }
    return (await saved.next()).done === true
  }

  #figureColumns() {
    const there = this.shapes.get('chains')?.columns ?? []
    return keptColumns.filter((column) => there.includes(column))
  }

  #keyOf(table: string): string {
    const key = this.shapes.get(table)?.key
    if (key === undefined || key === null) throw new Error(`Rows of ${table} have no key.`)
    return key
  }
}

const FoundKey = z.object({ key: z.string().nullable(), kind: z.string(), is_found: z.number().nullable() })

/** Keys travel as text; SQLite compares them as what their column holds. Rows whose key is null cannot be named. */
const keyOfRow = (table: string, row: SqliteRow): string[] => {
  const { key, kind, is_found } = FoundKey.parse(row)
  if (key === null) return []
  if ((kind === 'text' || kind === 'integer') && is_found === 1) return [key]
  throw new StorageError(
    'store_unsafe',
    `The table ${JSON.stringify(table.slice(0, 200))} has keys that are neither text nor whole numbers in a column of numbers: its rows cannot be kept in the trash. Nothing was changed.`,
    { hint: 'Remove those rows with the program that made them, then look at a new preview.' },
  )
}

/** The key of a saved row as text; null for what no key is. */
const asKey = (value: SavedRow[string] | undefined): string | null =>
  typeof value === 'string' || typeof value === 'bigint' ? String(value) : null

const sameKey = (alias: string, value: (column: string) => string): string =>
  naturalKey.map((column) => `${alias}.${quoted(column)} IS ${value(quoted(column))}`).join(' AND ')

function* batches(keys: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < keys.length; start += batchRows) yield keys.slice(start, start + batchRows)
}

const figureRow = (row: SqliteRow): FigureRow => {
  const text = (column: string) => asText(row[column] ?? null)
  const score = (column: string) => asNumber(row[column] ?? null)
  return {
    chain_id: text('chain_id') ?? '',
    prediction_id: text('prediction_id') ?? '',
    fold_id: text('fold_id') ?? '',
    partition: text('partition') ?? '',
    val_score: score('val_score'),
    test_score: score('test_score'),
    train_score: score('train_score'),
    is_refit: text('refit_context') !== null,
    scores: text('scores'),
    metric: text('metric') ?? '',
    dataset_name: text('dataset_name') ?? '',
    chain_metric: text('chain_metric'),
    chain_dataset: text('chain_dataset'),
  }
}

/** readline takes U+2028 and U+2029 for ends of lines too. */
const oneLine = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

async function* savedRows(path: string): AsyncGenerator<SavedRow> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) if (line !== '') yield decodeRow(JSON.parse(line))
}

const asLocked = (error: unknown): unknown =>
  error instanceof Error && /database is locked|busy/i.test(error.message)
    ? new StorageError(
        'store_locked',
        'Another process is writing to store.sqlite. Nothing was changed.',
        { hint: 'Wait until it has finished, then try again.' },
        error,
      )
    : error

const asConflict = (error: unknown): unknown =>
  error instanceof Error && /constraint/i.test(error.message)
    ? new StorageError(
        'restore_conflict',
        `The store does not take the rows back: ${error.message}. Nothing was restored.`,
        { hint: 'Remove what has taken their place, or put back what they belong to, then restore again.' },
        error,
      )
    : error

const Default = z.object({ name: z.string(), dflt_value: z.string().nullable() })
