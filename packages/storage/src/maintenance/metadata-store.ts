import { naturalKey } from '../migration/store-schema.ts'
import type { ChainFigures, FigureRow } from '../store/chain-figures.ts'

export interface Reference {
  readonly column: string
  readonly table: string
  /** Whether the store takes no row without its parent. */
  readonly isEnforced: boolean
}

/** Columns of a table that hold those of a row of another one, or of the same. */
export interface ForeignKey {
  readonly columns: readonly string[]
  readonly table: string
  readonly parentColumns: readonly string[]
  readonly isEnforced: boolean
}

/** A table of a store, as far as removing and restoring rows needs to know it. */
export interface TableShape {
  readonly name: string
  /** The only column of the primary key; rows of tables without one are never touched. */
  readonly key: string | null
  readonly columns: readonly string[]
  /** Columns that hold the key of a row of another table. */
  readonly parents: readonly Reference[]
  /** All references, also those by other columns than keys. */
  readonly foreignKeys: readonly ForeignKey[]
  /** What the store runs when rows of it go: it may change rows that nobody has kept. */
  readonly deleteTriggers: readonly string[]
}

export interface TableKeys {
  readonly table: string
  readonly keys: readonly string[]
}

/** Rows in a file of the trash. */
export interface SavedRows extends TableKeys {
  readonly path: string
  /** A column that comes back empty where it holds one of these. */
  readonly emptied?: { readonly column: string; readonly values: readonly string[] }
}

/** A natural key that several predictions would have. */
export interface SharedPlace {
  /** Those that would come back. */
  readonly ids: readonly string[]
  /** Those of the store that have it. */
  readonly holders: readonly string[]
  /** The store takes only one: it has the unique index, which counts keys without an empty part. */
  readonly isUnique: boolean
}

/** What the columns of a chain that are worked out of its predictions hold, and are to hold. */
export interface FigureChange {
  readonly chain_id: string
  readonly before: ChainFigures
  readonly after: ChainFigures
}

/** Changes by the columns that they name: those that a trash of before does not know stay as they are. */
export const byNamedColumns = <C extends keyof ChainFigures>(
  changes: readonly FigureChange[],
  columns: readonly C[],
): { readonly named: readonly C[]; readonly group: readonly FigureChange[] }[] => {
  const namedIn = ({ before }: FigureChange) => columns.filter((column) => Object.hasOwn(before, column))
  const groups = Map.groupBy(changes, (change) => namedIn(change).join(' '))
  return [...groups.values()].flatMap((group) => {
    const named = group[0] === undefined ? [] : namedIn(group[0])
    return named.length === 0 ? [] : [{ named, group }]
  })
}

/** The rows of a store.duckdb or store.sqlite, by their keys. Order of tables is the port's own business. */
export interface MetadataStore {
  readonly shapes: ReadonlyMap<string, TableShape>
  /** Ending of the files that `saveRows` writes. */
  readonly fileEnding: 'parquet' | 'jsonl'
  /** Keys of the rows whose `column` holds one of the values. */
  keysWhere(table: string, column: string, values: readonly string[]): Promise<string[]>
  /** Of these values those that a column of a row holds; none where there is no such table or column. */
  valuesIn(table: string, column: string, values: readonly string[]): Promise<ReadonlySet<string>>
  /** A column as text, by the keys of those rows that are there. */
  textsOf(rows: TableKeys, column: string): Promise<ReadonlyMap<string, string | null>>
  /** Writes these rows, with every column and to the bit, into a new file; flushed, read back and compared. The number of rows. */
  saveRows(rows: TableKeys, path: string): Promise<number>
  /** Key and parents of the rows in such a file, as text; and other columns that it has. */
  readLinks(table: string, path: string, others?: readonly string[]): Promise<ReadonlyMap<string, string | null>[]>
  /** Of the rows in such a file those that the store has with other values by now; in columns that it has got since, other than their default. */
  changedRows(rows: SavedRows): Promise<string[]>
  /** Of these rows of the parent table those to which rows of `child` refer other than the ones that go. Rows without a key never go. */
  referredTo(child: string, reference: ForeignKey, keys: readonly string[], going: ReadonlySet<string>): Promise<string[]>
  /** Predictions of the store that share their natural key with another one, when one of those that share it is among these. */
  twinsOf(predictions: readonly string[]): Promise<string[]>
  /** The natural keys of the predictions in such a file that several would have if these came back. */
  sharedPlaces(rows: SavedRows): Promise<SharedPlace[]>
  /** What is written about a table in a store.duckdb; null when nothing is, and of a store.sqlite. */
  commentOn(table: string): Promise<string | null>
  /** Of those of the chains that are there, the figures as they are. */
  figuresOf(chains: readonly string[]): Promise<ReadonlyMap<string, ChainFigures>>
  /** The predictions of these chains in the order of their ids. */
  figureRowsOf(chains: readonly string[]): Promise<FigureRow[]>
  /** Changes figures, in the transaction under way if there is one. Chains whose figures are no longer those of `before` stay as they are. */
  writeFigures(changes: readonly FigureChange[]): Promise<void>
  /**
   * Removes rows, children first; those that are gone already do not matter. Figures change in the transaction in which the predictions
   * go. Durable when it returns.
   */
  deleteRows(rows: readonly TableKeys[], figures: readonly FigureChange[]): Promise<void>
  /**
   * Puts saved rows back, parents first, as one transaction. `beforeCommit` runs when the store has taken all of them. Rows whose key is
   * there stay as they are. Durable when it returns.
   */
  insertRows(rows: readonly SavedRows[], beforeCommit: () => Promise<void>): Promise<void>
  /** Whether rows were removed or put back. */
  readonly hasWritten: boolean
  close(): Promise<void>
}

/** References that the library keeps by convention, whether or not the store enforces them. */
const knownParents: Readonly<Record<string, readonly Omit<Reference, 'isEnforced'>[]>> = {
  runs: [{ column: 'project_id', table: 'projects' }],
  pipelines: [{ column: 'run_id', table: 'runs' }],
  chains: [{ column: 'pipeline_id', table: 'pipelines' }],
  predictions: [
    { column: 'pipeline_id', table: 'pipelines' },
    { column: 'chain_id', table: 'chains' },
  ],
  logs: [{ column: 'pipeline_id', table: 'pipelines' }],
}

/** Whether a reference is one of those: rows that refer by it are always found with what they refer to. */
export const isConvention = (child: string, { columns, table, parentColumns }: ForeignKey): boolean =>
  (knownParents[child] ?? []).some(
    (known) => known.table === table && [columns, parentColumns].every((names) => names.join() === known.column),
  )

/** Whether a file holds rows as this kind of store writes them: nirs4all turns a store.duckdb into a store.sqlite. */
export const isOfStore = ({ fileEnding }: MetadataStore, file: string): boolean => file.endsWith(`.${fileEnding}`)

/** Whether the store tells by columns which prediction of a pipeline one is; rows of another program may not say. */
export const hasNaturalKey = (shapes: MetadataStore['shapes']): boolean => {
  const columns = shapes.get('predictions')?.columns ?? []
  return naturalKey.every((column) => columns.includes(column))
}

/** Whether an index over these columns is over the natural key. */
export const isNaturalKey = (columns: readonly string[]): boolean =>
  columns.length === naturalKey.length && naturalKey.every((column) => columns.includes(column))

/** A table as the store describes it. */
export interface DescribedTable {
  readonly name: string
  readonly columns: readonly string[]
  /** Columns of the primary key. */
  readonly keys: readonly string[]
  /** Parent columns that are not named are the key of the parent. */
  readonly declared: readonly Omit<ForeignKey, 'isEnforced'>[]
  readonly deleteTriggers?: readonly string[]
}

/** The shapes of tables from what the store says of them and what is known of them anyway. */
export const makeShapes = (tables: readonly DescribedTable[]): ReadonlyMap<string, TableShape> => {
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]))
  return new Map(tables.map((table) => [table.name, makeShape(table, byName)]))
}

const makeShape = (table: DescribedTable, byName: ReadonlyMap<string, DescribedTable>): TableShape => {
  const { name, columns, keys, declared, deleteTriggers = [] } = table
  const known = (knownParents[name] ?? []).filter(({ column }) => columns.includes(column))
  const enforced = declared.flatMap((reference) => asNamed(reference, columns, byName.get(reference.table.toLowerCase())))
  const asOf = (isEnforced: boolean) => (parent: Omit<Reference, 'isEnforced'>) =>
    [`${parent.column}\n${parent.table}`, { ...parent, isEnforced }] as const
  const parents = new Map([...known.map(asOf(false)), ...enforced.flatMap((reference) => keyReferences(reference, byName)).map(asOf(true))])
  const isDeclared = ({ column, table }: Omit<Reference, 'isEnforced'>) =>
    enforced.some((reference) => reference.table === table && reference.columns.length === 1 && reference.columns[0] === column)
  const conventions = known
    .filter((parent) => !isDeclared(parent) && byName.get(parent.table)?.columns.includes(parent.column) === true)
    .map(({ column, table }) => ({ columns: [column], table, parentColumns: [column], isEnforced: false }))
  const [key = null] = keys
  return {
    name,
    key: keys.length === 1 ? key : null,
    columns,
    parents: [...parents.values()].filter(({ table }) => table !== name),
    foreignKeys: [...enforced, ...conventions],
    deleteTriggers,
  }
}

/** Names as the tables have them: a reference may write them in other cases. None when the parent is not there. */
const asNamed = (
  { columns, parentColumns }: Omit<ForeignKey, 'isEnforced'>,
  own: readonly string[],
  parent: DescribedTable | undefined,
): ForeignKey[] => {
  if (parent === undefined) return []
  const named = (names: readonly string[]) => (name: string) => names.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name
  const theirs = parentColumns.length === 0 ? parent.keys : parentColumns.map(named(parent.columns))
  return [{ columns: columns.map(named(own)), table: parent.name, parentColumns: theirs, isEnforced: true }]
}

/** The column, if there is one, that holds the only column of the parent's key. */
const keyReferences = (
  { columns, table, parentColumns }: ForeignKey,
  byName: ReadonlyMap<string, DescribedTable>,
): Omit<Reference, 'isEnforced'>[] => {
  const keys = byName.get(table.toLowerCase())?.keys ?? []
  const column = keys.length === 1 ? columns[parentColumns.indexOf(keys[0] ?? '')] : undefined
  return column === undefined ? [] : [{ column, table }]
}

/** Tables so that every one comes after those it refers to. */
export const parentsFirst = (shapes: ReadonlyMap<string, TableShape>): TableShape[] => {
  const ordered = new Map<string, TableShape>()
  const visiting = new Set<string>()
  const visit = (shape: TableShape): void => {
    if (ordered.has(shape.name) || visiting.has(shape.name)) return
    visiting.add(shape.name)
    for (const { table } of shape.parents) {
      const parent = shapes.get(table)
      if (parent !== undefined) visit(parent)
    }
    ordered.set(shape.name, shape)
  }
  for (const shape of [...shapes.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(shape)
  return [...ordered.values()]
}

/** Sorts parts so that parents come first; parts of tables that the store lacks are left out. */
export const inTableOrder = <T extends { readonly table: string }>(shapes: ReadonlyMap<string, TableShape>, parts: readonly T[]): T[] => {
  const places = new Map(parentsFirst(shapes).map(({ name }, index) => [name, index]))
  const placeOf = (part: T) => places.get(part.table) ?? -1
  return parts.filter((part) => placeOf(part) >= 0).sort((a, b) => placeOf(a) - placeOf(b))
}
