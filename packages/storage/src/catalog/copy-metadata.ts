import { quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { type AttachedStore, countRows } from '../workspace/store-facts.ts'
import { type CatalogColumn, type StoreTable, storeTableNames, storeTables } from './catalog-schema.ts'
import { aggregated, foldKind, searchText } from './prediction-columns.ts'

/** A column of the store in the catalog's type: absent ones null, absent required text ''. JSON is text already and stays untouched. */
const converted = (column: CatalogColumn, available: ReadonlySet<string>): string => {
  const name = quotedIdentifier(column.name)
  const value = available.has(column.name) ? convertedValue(column, `s.${name}`) : `NULL::${column.type}`
  return `${column.required ? `coalesce(${value}, '')` : value} AS ${name}`
}

// TRY_CAST: SQLite keeps whatever it is given, and one odd value must not hide the rest.
const convertedValue = ({ type }: CatalogColumn, source: string): string =>
  type === 'VARCHAR' ? `${source}::VARCHAR` : `TRY_CAST(${source} AS ${type})`

const selectList = (table: StoreTable, available: ReadonlySet<string>): string =>
  storeTables[table].map((column) => converted(column, available)).join(', ')

/** The predictions of a relation aliased `s`, as `fillPredictions` wants them: the catalog's columns, then `created_at_text`. */
export const predictionsFrom = (relation: string, available: ReadonlySet<string>): string => {
  const time = available.has('created_at') ? 's.created_at::VARCHAR' : 'NULL::VARCHAR'
  return `SELECT ${selectList('predictions', available)}, ${time} AS created_at_text FROM ${relation} s`
}

export const storeRelation = (store: AttachedStore, table: string): string =>
  `${quotedIdentifier(store.alias)}.main.${quotedIdentifier(table)}`

/** Copies every table but `predictions`, and counts the rows of each; 0 for tables that the store lacks. */
export const copyTables = async (store: AttachedStore): Promise<Record<StoreTable, number>> => {
  const counts: Record<StoreTable, number> = { runs: 0, pipelines: 0, chains: 0, predictions: 0, artifacts: 0, logs: 0, projects: 0 }
  for (const table of storeTableNames) {
    counts[table] = await countRows(store, table)
    const available = store.tables.get(table)
    if (table === 'predictions' || available === undefined) continue
    await store.engine.run(`INSERT INTO catalog.${table} SELECT ${selectList(table, available)} FROM ${storeRelation(store, table)} s`)
  }
  return counts
}

/** Ids with a row in `prediction_arrays` of the store, in the temporary table `table_ids`; empty without a store or table. */
export const indexTable = async (engine: Engine, store: AttachedStore | null): Promise<void> => {
  const source = store?.tables.has('prediction_arrays')
    ? `SELECT prediction_id::VARCHAR AS prediction_id FROM ${storeRelation(store, 'prediction_arrays')} WHERE prediction_id IS NOT NULL`
    : 'SELECT NULL::VARCHAR AS prediction_id WHERE false'
  await engine.run(`CREATE OR REPLACE TEMP TABLE table_ids AS ${source}`)
}

/**
 * Fills `catalog.predictions`. Needs the other tables of the catalog and the temporary tables `array_places`, `table_ids`,
 * `unreadable_files(dataset_name, path)`. `tableName` is what `table_ids` stand for: 'table' or 'bak'.
 *
 * Rows lie by dataset, the newest first, those of one time by chain, fold and partition: a filter on the dataset skips whole row groups, and
 * the natural order of the table is one that can be shown. What can be computed from a row is computed after the sort, which otherwise spills
 * at a million rows.
 */
export const fillPredictions = (engine: Engine, predictions: string, tableName: 'table' | 'bak'): Promise<void> =>
  engine.run(
    `INSERT INTO catalog.predictions
     WITH pl AS (SELECT DISTINCT ON (pipeline_id) pipeline_id, run_id, name FROM catalog.pipelines),
       r AS (SELECT DISTINCT ON (run_id) run_id, name, status FROM catalog.runs),
       d AS (SELECT dataset_name, min(path) AS path FROM unreadable_files GROUP BY dataset_name),
       source AS (SELECT *, prediction_id IN (SELECT prediction_id FROM table_ids) AS in_table FROM (${predictions})),
       p AS (
         SELECT source.*, pl.run_id, r.name AS run_name, r.status AS run_status, pl.name AS pipeline_name,
           a.path AS parquet_path, d.path AS expected_path
         FROM source
         LEFT JOIN pl ON pl.pipeline_id = source.pipeline_id
         LEFT JOIN r ON r.run_id = pl.run_id
         LEFT JOIN array_places a ON a.prediction_id = source.prediction_id
         LEFT JOIN d ON d.dataset_name = source.dataset_name
         ORDER BY source.dataset_name, source.created_at DESC NULLS LAST, source.chain_id,
           TRY_CAST(regexp_extract(source.fold_id, '[0-9]+') AS INTEGER) NULLS LAST,
           source.fold_id, source."partition", source.prediction_id)
     SELECT p.* EXCLUDE (in_table, parquet_path, expected_path), ${foldKind}, ${aggregated}, p.parquet_path IS NOT NULL OR in_table,
       CASE WHEN p.parquet_path IS NOT NULL THEN p.parquet_path WHEN in_table THEN '${tableName}' ELSE p.expected_path END, ${searchText}
     FROM p`,
  )
