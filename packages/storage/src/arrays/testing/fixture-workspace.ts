import { mkdirSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { catalogDefinition } from '../../catalog/catalog-schema.ts'
import { attachWritable, detach, quotedIdentifier, quotedString } from '../../engine/attach-store.ts'
import { elementsOf, type NumberList } from '../../engine/number-list.ts'
import { type Engine, withEngine } from '../../engine/open-engine.ts'
import type { ArrayPlaces } from '../array-reader.ts'
import type { ArrayRow } from '../array-source.ts'

/** A prediction of a made-up workspace, as its metadata and its array row have it. */
export interface FixturePrediction {
  prediction_id: string
  dataset_name: string
  model_name?: string
  fold_id?: string
  partition?: string
  metric?: string
  val_score?: number | null
  task_type?: string
  array_source?: string | null
  arrays?: Partial<Omit<ArrayRow, 'prediction_id'>>
  /** SQL of further columns of the array row. */
  extra?: Record<string, string>
}

export interface FixtureWorkspace extends ArrayPlaces {
  duckdb: string | null
  name: string
  catalogPath: string
  outside: string
  remove: () => Promise<void>
}

/** An empty workspace folder in a folder of its own; `outside` is a folder for exports. */
export const fixtureWorkspace = async (): Promise<FixtureWorkspace> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nirs-arrays-')))
  const root = join(folder, 'workspace')
  const outside = join(folder, 'outside')
  mkdirSync(join(root, 'arrays'), { recursive: true })
  mkdirSync(outside)
  return {
    root,
    name: 'fixture',
    duckdb: null,
    bak: null,
    arrays: join(root, 'arrays'),
    catalogPath: join(folder, 'catalog.duckdb'),
    outside,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Writes array rows in this order to a Parquet file, duplicates included. */
export const writeArrayFile = (path: string, rows: readonly FixturePrediction[], codec = 'zstd'): Promise<void> =>
  withEngine({}, async (engine) => {
    mkdirSync(dirname(path), { recursive: true })
    await engine.run(
      `COPY (${arrayRowsSql(rows)}) TO $path (FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION V1, DICTIONARY_SIZE_LIMIT 0)`,
      { path },
    )
  })

/** Writes `count` rows of the dataset wheat, ids p0, p1, …; row i has y_true [i], and from `distinct` on the ids begin again. */
export const writeManyRows = (path: string, count: number, distinct = count): Promise<void> =>
  withEngine({}, (engine) =>
    engine.run(
      `COPY (SELECT 'p' || (i % ${distinct}) AS prediction_id, 'wheat' AS dataset_name, [i::DOUBLE] AS y_true FROM range(${count}) AS r(i))
        TO $path (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE 2048)`,
      { path },
    ),
  )

/** Writes a store whose only table is the legacy `prediction_arrays`. */
export const writeArrayTable = (path: string, rows: readonly FixturePrediction[]): Promise<void> =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, path, 'store')
    await engine.run(
      `CREATE TABLE store.prediction_arrays(prediction_id VARCHAR PRIMARY KEY, y_true DOUBLE[], y_pred DOUBLE[], y_proba DOUBLE[],
        sample_indices INTEGER[], weights DOUBLE[])`,
    )
    await engine.run(
      `INSERT INTO store.prediction_arrays SELECT prediction_id, y_true, y_pred, y_proba, sample_indices, weights FROM (${arrayRowsSql(rows)})`,
    )
    await detach(engine, 'store')
  })

/** Writes a catalog that knows these predictions. */
export const writeCatalog = (path: string, rows: readonly FixturePrediction[]): Promise<void> =>
  withEngine({}, async (engine) => {
    await attachWritable(engine, path, 'made')
    for (const statement of catalogDefinition('made')) await engine.run(statement)
    for (const row of rows) await insertPrediction(engine, row)
    await detach(engine, 'made')
  })

const insertPrediction = (engine: Engine, row: FixturePrediction): Promise<void> => {
  const { model_name, fold_id, partition, metric, val_score, task_type } = described(row)
  const source = row.array_source ?? null
  return engine.run(
    `INSERT INTO made.predictions BY NAME SELECT $id AS prediction_id, $dataset AS dataset_name, $model AS model_name, '' AS model_class,
      $fold AS fold_id, $part AS "partition", $metric AS metric, ${numberSql(val_score)} AS val_score, $task AS task_type,
      '' AS preprocessings, 'fold' AS fold_kind, false AS aggregated, ${source !== null} AS has_arrays,
      ${source === null ? 'NULL' : quotedString(source)} AS array_source, '' AS search_text`,
    { id: row.prediction_id, dataset: row.dataset_name, model: model_name, fold: fold_id, part: partition, metric, task: task_type },
  )
}

const described = (row: FixturePrediction) => ({
  model_name: row.model_name ?? 'PLSRegression',
  fold_id: row.fold_id ?? '0',
  partition: row.partition ?? 'val',
  metric: row.metric ?? 'rmse',
  val_score: row.val_score === undefined ? 0.5 : row.val_score,
  task_type: row.task_type ?? 'regression',
})

const arrayRowsSql = (rows: readonly FixturePrediction[]): string => {
  const selects = rows.map((row) => {
    const { model_name, fold_id, partition, metric, val_score, task_type } = described(row)
    const texts = { prediction_id: row.prediction_id, dataset_name: row.dataset_name, model_name, fold_id, partition, metric }
    const { arrays = {}, extra = {} } = row
    return `SELECT ${[
      ...Object.entries(texts).map(([name, value]) => `${quotedString(value)} AS ${quotedIdentifier(name)}`),
      `${numberSql(val_score)} AS val_score`,
      `${quotedString(task_type)} AS task_type`,
      `${listSql(arrays.y_true, 'DOUBLE')} AS y_true`,
      `${listSql(arrays.y_pred, 'DOUBLE')} AS y_pred`,
      `${listSql(arrays.y_proba, 'DOUBLE')} AS y_proba`,
      `${arrays.y_proba_shape ? `[${arrays.y_proba_shape.join(', ')}]` : 'NULL'}::INTEGER[] AS y_proba_shape`,
      `${listSql(arrays.sample_indices, 'INTEGER')} AS sample_indices`,
      `${listSql(arrays.weights, 'DOUBLE')} AS weights`,
      ...Object.entries(extra).map(([name, sql]) => `${sql} AS ${quotedIdentifier(name)}`),
    ].join(', ')}`
  })
  return selects.join(' UNION ALL ')
}

const listSql = (list: NumberList | null | undefined, type: string): string => {
  if (list === null || list === undefined) return `NULL::${type}[]`
  return `[${elementsOf(list)
    .map((value) => numberSql(value, type))
    .join(', ')}]::${type}[]`
}

const numberSql = (value: number | null, type = 'DOUBLE'): string =>
  value === null ? `NULL::${type}` : `'${Object.is(value, -0) ? '-0.0' : String(value)}'::${type}`
