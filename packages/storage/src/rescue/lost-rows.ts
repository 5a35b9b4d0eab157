import * as z from 'zod'
import { probaShapeSql } from '../arrays/proba-shape.ts'
import { quotedIdentifier } from '../engine/attach-store.ts'
import { StorageError } from '../errors.ts'
import { columnOr, type OpenWorkspace, storeAlias } from '../maintenance/maintenance-workspace.ts'
import { contextColumns } from '../merge/write-rows.ts'
import { arrayFileColumns, type ExtraColumn, isArrayFileColumn, listColumns, selectOr } from '../migration/array-columns.ts'
import { sizesSql } from '../migration/measure-arrays.ts'
import { hasColumn, type SourceTables, sourceTable } from '../migration/source-tables.ts'
import { arraysTable } from '../migration/store-schema.ts'
import { refuseLossy, refuseUnknown } from '../migration/survey-store.ts'
import type { ColumnForm } from '../parquet/column-form.ts'

/** A dataset some of whose predictions have no row in any array file. */
export interface LostDataset {
  readonly name: string
  /** Stands for the name in SQL. */
  readonly number: number
  /** Predictions whose arrays the backup has. */
  readonly rescuable: number
  /** Predictions whose arrays are nowhere, though they had some. */
  readonly stayLost: number
  /** Of the rescuable ones: elements of all arrays, and their bytes in memory. */
  readonly values: number
  readonly bytes: number
  /** The part of the backup's table in which the rescuable ones lie, others between them; null when there are none. */
  readonly first: number | null
  readonly last: number | null
}

/** The predictions without arrays, worked out, with the backup attached. */
export interface LostRows {
  readonly open: OpenWorkspace
  /** Of the backup; none without one. */
  readonly tables: SourceTables
  readonly extras: readonly ExtraColumn[]
  readonly datasets: readonly LostDataset[]
  /** Predictions that the backup has, too, but whose row in an array file is marked as removed. */
  readonly markedRemoved: number
  /** Rows of the backup that no metadata knows. */
  readonly unknownRows: number
}

const lost = 'memory.main.lost'
/** The columns of a row that come from the metadata, and what the summary of a file counts besides them. */
const described = ['model_name', 'fold_id', 'partition', 'metric', 'val_score', 'task_type'] as const
const context = ['branch_name', 'refit_context', 'created_at'] as const

/**
 * Finds the predictions without a row in an array file and where the backup, attached as `source`, has their arrays: of several rows the last
 * one, as a read does. Throws `not_a_workspace` without predictions, `store_unsafe` or `store_too_new` for a backup that cannot be carried over to the bit.
 */
export const findLostRows = async (open: OpenWorkspace, tables: SourceTables): Promise<LostRows> => {
  if (!open.metadata.shapes.has('predictions')) throw noPredictions()
  const columns = tables.get(arraysTable) ?? []
  const extras = columns.filter(({ name }) => !isArrayFileColumn(name))
  refuseUnknown(extras, 'store.duckdb.bak')
  refuseLossy(new Map(columns.map(({ name, type }) => [name, type])), 'store.duckdb.bak')
  const { engine } = open
  await engine.run(`CREATE OR REPLACE TEMP TABLE held AS ${heldSql(tables)}`)
  await engine.run(`CREATE OR REPLACE TABLE ${lost} AS ${lostSql(open)}`)
  const counts = await engine.one(
    z.object({ unknown: z.number(), removed: z.number() }),
    `SELECT (SELECT count(*) FROM held WHERE id IS NULL OR id NOT IN (${knownIds})) AS unknown,
       (SELECT count(DISTINCT id) FROM held WHERE id IN (${knownIds}) AND id IN (SELECT prediction_id FROM array_rows)
          AND id NOT IN (SELECT prediction_id FROM array_places)) AS removed`,
  )
  const datasets = await engine.rows(
    z.object({
      name: z.string(),
      number: z.number(),
      rescuable: z.number(),
      stayLost: z.number(),
      values: z.number(),
      bytes: z.number(),
      first: z.number().nullable(),
      last: z.number().nullable(),
    }),
    `SELECT dataset_name AS name, dataset_number AS number, count(place) AS rescuable, count(*) FILTER (place IS NULL AND had_arrays) AS "stayLost",
       coalesce(sum(elements), 0)::BIGINT AS "values", coalesce(sum(bytes), 0)::BIGINT AS bytes,
       min(place) AS first, max(place) AS last
     FROM ${lost} GROUP BY ALL HAVING count(*) FILTER (place IS NOT NULL OR had_arrays) > 0 ORDER BY name`,
  )
  return { open, tables, extras, datasets, markedRemoved: counts.removed, unknownRows: counts.unknown }
}

const knownIds = `SELECT prediction_id FROM ${storeAlias}.main.predictions WHERE prediction_id IS NOT NULL`

const heldSql = (tables: SourceTables): string => {
  if (!tables.has(arraysTable))
    return 'SELECT NULL::VARCHAR AS id, 0::BIGINT AS place, 0::BIGINT AS elements, 0::BIGINT AS bytes WHERE false'
  const { values, bytes } = sizesSql(tables)
  return `SELECT a.prediction_id::VARCHAR AS id, a.rowid AS place, (${values})::BIGINT AS elements, (${bytes})::BIGINT AS bytes
    FROM ${sourceTable(arraysTable)} a`
}

const lostSql = (open: OpenWorkspace): string => {
  const metadata = [...described, ...context].map((name) => {
    const type = name === 'val_score' ? 'DOUBLE' : 'VARCHAR'
    return `TRY_CAST(${columnOr(open, 'predictions', name)} AS ${type}) AS ${quotedIdentifier(name)}`
  })
  const hadArrays = `coalesce(${columnOr(open, 'predictions', 'n_samples', '1')}, 0) > 0`
  return `SELECT p.*, h.place, h.elements, h.bytes, dense_rank() OVER (ORDER BY p.dataset_name) AS dataset_number
    FROM (SELECT DISTINCT ON (prediction_id) prediction_id, coalesce(dataset_name, '') AS dataset_name, ${hadArrays} AS had_arrays, ${metadata.join(', ')}
      FROM ${storeAlias}.main.predictions
      WHERE prediction_id IS NOT NULL AND prediction_id NOT IN (SELECT prediction_id FROM array_rows)) p
    LEFT JOIN (SELECT * FROM held QUALIFY row_number() OVER (PARTITION BY id ORDER BY place DESC) = 1) h ON h.id = p.prediction_id`
}

const noPredictions = () =>
  new StorageError('not_a_workspace', 'The store has no table of predictions. Nothing was changed.', {
    hint: 'Open the workspace that nirs4all has written.',
  })

/**
 * The rows to bring back as columns of an array file, then `contextColumns`; `where` narrows over `m`, the metadata, and `a`, the table. Arrays stand on the left: the
 * side that a join does not keep in memory, as long as nothing reorders it.
 */
export const lostRowsSql = ({ tables }: LostRows, forms: readonly ColumnForm[], where: string): string => {
  const has = (name: string) => hasColumn(tables, arraysTable, name)
  const list = (name: (typeof listColumns)[number]) =>
    has(name) ? `a.${name}::${arrayFileColumns[name]}` : `NULL::${arrayFileColumns[name]}`
  const stored = has('y_proba_shape') ? 'a.y_proba_shape::INTEGER[]' : 'NULL::INTEGER[]'
  const columns = forms.map(({ name, type }) => {
    if (name === 'y_proba_shape') return selectOr(true, `(${probaShapeSql(stored, list('y_proba'), list('y_true'))})`, name, type)
    const isMetadata = isArrayFileColumn(name) && !listColumns.some((one) => one === name)
    return isMetadata
      ? selectOr(true, `m.${quotedIdentifier(name)}`, name, type)
      : selectOr(has(name), `a.${quotedIdentifier(name)}`, name, type)
  })
  const about = context.map((name, index) => `m.${name} AS ${contextColumns[index]}`)
  return `SELECT ${[...columns, ...about].join(', ')} FROM ${sourceTable(arraysTable)} a JOIN ${lost} m ON m.place = a.rowid WHERE ${where}`
}

/** `where` for all rows of these datasets: DuckDB leaves out the rest of the table, where nothing of them is. */
export const ofDatasets = (datasets: readonly LostDataset[]): string => {
  const places = datasets.flatMap(({ first, last }) => (first === null || last === null ? [] : [first, last]))
  const numbers = datasets.map(({ number }) => number).join(', ')
  return `m.dataset_number IN (${numbers}) AND a.rowid BETWEEN ${Math.min(...places)} AND ${Math.max(...places)}`
}

/** The ids of everything that can be brought back, of these datasets. */
export const rescuableIds = async ({ open, datasets: all }: LostRows, datasets: readonly LostDataset[] = all): Promise<string[]> => {
  const numbers = datasets.map(({ number }) => number)
  const rows = await open.engine.rows(
    z.object({ id: z.string() }),
    `SELECT prediction_id AS id FROM ${lost} WHERE place IS NOT NULL AND dataset_number IN (${['NULL', ...numbers].join(', ')})`,
  )
  return rows.map(({ id }) => id)
}

/** Bytes in memory of the arrays of those rows that `where` (over `m`) names. */
export const lostBytes = async ({ open }: LostRows, where: string): Promise<number> =>
  (await open.engine.one(z.object({ n: z.number() }), `SELECT coalesce(sum(bytes), 0)::BIGINT AS n FROM ${lost} m WHERE ${where}`)).n
