/** Part of every catalog's file name; a change of the tables below is a new number. */
export const CATALOG_VERSION = 7

export type CatalogType = 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BIGINT' | 'TIMESTAMP'

/** One column that comes from the store; `required` ones are never null in the catalog (absent text is ''). */
export interface CatalogColumn {
  readonly name: string
  readonly type: CatalogType
  readonly required: boolean
}

const columns = (type: CatalogType, names: string, required = false): CatalogColumn[] =>
  names.split(' ').map((name) => ({ name, type, required }))
const text = (names: string) => columns('VARCHAR', names)
const required = (names: string) => columns('VARCHAR', names, true)
const real = (names: string) => columns('DOUBLE', names)
const integer = (names: string) => columns('INTEGER', names)
const time = (names: string) => columns('TIMESTAMP', names)

/**
 * The tables of a catalog: nirs4all's own columns, the union over its releases. What a store lacks is null; JSON stays the text that the
 * store holds. Every table but `predictions` is exactly this; `predictions` has the derived columns below as well.
 */
export const storeTables = {
  runs: [
    ...required('run_id name'),
    ...text('config datasets status'),
    ...time('created_at completed_at'),
    ...text('summary error project_id'),
  ],
  pipelines: [
    ...required('pipeline_id'),
    ...text('run_id'),
    ...required('name'),
    ...text('expanded_config original_template generator_choices'),
    ...required('dataset_name'),
    ...text('dataset_hash status'),
    ...time('created_at completed_at'),
    ...real('best_val best_test'),
    ...text('metric'),
    ...integer('duration_ms'),
    ...text('error'),
  ],
  chains: [
    ...required('chain_id'),
    ...text('pipeline_id steps'),
    ...integer('model_step_idx'),
    ...required('model_class preprocessings'),
    ...text('fold_strategy fold_artifacts shared_artifacts branch_path'),
    ...integer('source_index'),
    ...text('model_name metric task_type best_params dataset_name'),
    ...real('cv_val_score cv_test_score cv_train_score'),
    ...integer('cv_fold_count'),
    ...text('cv_scores'),
    ...real('final_test_score final_train_score'),
    ...text('final_scores'),
    ...real('final_agg_test_score final_agg_train_score'),
    ...text('final_agg_scores relation_replay_manifest'),
    ...integer('relation_replay_version'),
    ...text('relation_replay_fingerprint'),
    ...time('created_at'),
  ],
  predictions: [
    ...required('prediction_id'),
    ...text('pipeline_id chain_id'),
    ...required('dataset_name model_name model_class fold_id partition'),
    ...real('val_score test_score train_score'),
    ...required('metric task_type'),
    ...integer('n_samples n_features'),
    ...text('scores best_params'),
    ...required('preprocessings'),
    ...integer('branch_id'),
    ...text('branch_name'),
    ...integer('exclusion_count'),
    ...real('exclusion_rate'),
    ...text('refit_context prediction_scope prediction_level evaluation_scope reduction_role reduction_id'),
    ...text('physical_sample_id origin_sample_id derived_unit_id unit_level unit_id row_id'),
    ...real('sample_influence_weight'),
    ...time('created_at'),
  ],
  artifacts: [
    ...required('artifact_id artifact_path content_hash'),
    ...text('operator_class artifact_type format'),
    ...columns('BIGINT', 'size_bytes'),
    ...integer('ref_count'),
    ...text('chain_path_hash input_data_hash dataset_hash'),
    ...time('created_at'),
  ],
  logs: [
    ...required('log_id'),
    ...text('pipeline_id'),
    ...integer('step_idx'),
    ...text('operator_class event'),
    ...integer('duration_ms'),
    ...text('message details level'),
    ...time('created_at'),
  ],
  projects: [...required('project_id name'), ...text('description color'), ...time('created_at updated_at')],
} as const satisfies Record<string, readonly CatalogColumn[]>

export type StoreTable = keyof typeof storeTables
export const storeTableNames = Object.keys(storeTables) as readonly StoreTable[]

/** Columns of `predictions` that we derive; the order in which they follow those of the store. */
export const derivedColumns = [
  /** As the store writes it. */
  ['created_at_text', 'VARCHAR'],
  ['run_id', 'VARCHAR'],
  ['run_name', 'VARCHAR'],
  ['run_status', 'VARCHAR'],
  ['pipeline_name', 'VARCHAR'],
  /** fold, average, refit, single, other. */
  ['fold_kind', 'VARCHAR NOT NULL'],
  ['aggregated', 'BOOLEAN NOT NULL'],
  ['has_arrays', 'BOOLEAN NOT NULL'],
  /**
   * null: none · 'table': `prediction_arrays` of store.duckdb · 'bak': the same of store.duckdb.bak · else the Parquet file, relative to
   * the root with '/' between names. A file that is damaged or not there stands here with `has_arrays` false: reading it says why.
   */
  ['array_source', 'VARCHAR'],
  /** Lower case: ids, names of dataset, model, class, run and branch, preprocessings, best_params, separated by line feeds. */
  ['search_text', 'VARCHAR NOT NULL'],
] as const

const definition = (column: CatalogColumn) => `"${column.name}" ${column.type}${column.required ? ' NOT NULL' : ''}`

/**
 * What the times of a store are. DuckDB keeps the local time of whoever wrote it, to the microsecond, and does not say where that was; SQLite
 * UTC in whole seconds, but times that nirs4all has taken over from a store.duckdb as they were: `whole_seconds_utc`.
 */
export type StoreTimes = 'local' | 'whole_seconds_utc'

const isUtc = 'microsecond(t) % 1000000 = 0'
const timeMacros: Record<StoreTimes, { written: string; stored: string }> = {
  local: { written: 't::VARCHAR', stored: 'asked' },
  whole_seconds_utc: {
    written: `t::VARCHAR || CASE WHEN ${isUtc} THEN 'Z' ELSE '' END`,
    stored: `CASE WHEN ${isUtc} THEN asked - to_minutes(minutes) ELSE asked END`,
  },
}

/**
 * DDL of the catalog attached as `alias`. No keys and no indexes: it is written once, and scans of a column are fast enough.
 * Its macros know what its times are: `written_time(t)` is a time as text, with a Z where it is UTC; `stored_time(asked, minutes, t)`
 * what a time like `t` is in the catalog when a clock, so many minutes ahead of UTC, shows `asked`.
 */
export const catalogDefinition = (alias: string, times: StoreTimes = 'local'): string[] => [
  `CREATE MACRO ${alias}.written_time(t) AS ${timeMacros[times].written}`,
  `CREATE MACRO ${alias}.stored_time(asked, minutes, t) AS ${timeMacros[times].stored}`,
  ...storeTableNames.map((table) => {
    const derived = table === 'predictions' ? derivedColumns.map(([name, type]) => `${name} ${type}`) : []
    return `CREATE TABLE ${alias}.${table} (${[...storeTables[table].map(definition), ...derived].join(', ')})`
  }),
  // Rows of predictions once more, with the row that each is (fill-leaders.ts); empty for a catalog in which there are few.
  `CREATE TABLE ${alias}.leaders AS SELECT *, 0::BIGINT AS place FROM ${alias}.predictions LIMIT 0`,
  // Keys: storage_status, counts, fingerprint, built_at, root, user_version.
  `CREATE TABLE ${alias}.meta ("key" VARCHAR NOT NULL, value VARCHAR NOT NULL)`,
  // One row per Parquet file; `error` says why a file cannot be read.
  `CREATE TABLE ${alias}.array_files (path VARCHAR NOT NULL, bytes BIGINT NOT NULL, "rows" BIGINT NOT NULL, error VARCHAR)`,
  // Rows per file and per dataset as the file's own column dataset_name has it.
  `CREATE TABLE ${alias}.array_file_datasets (path VARCHAR NOT NULL, dataset_name VARCHAR NOT NULL, "rows" BIGINT NOT NULL)`,
  // kind: orphan (Parquet row unknown to the metadata), duplicate (id more than once in Parquet; "copies" rows), tombstoned
  // (Parquet row that was removed), row_without_metadata (the same as orphan, in the table prediction_arrays).
  `CREATE TABLE ${alias}.array_oddities (kind VARCHAR NOT NULL, prediction_id VARCHAR NOT NULL, path VARCHAR, copies BIGINT NOT NULL)`,
]
