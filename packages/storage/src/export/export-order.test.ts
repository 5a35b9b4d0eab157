import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  type FixturePrediction,
  type FixtureWorkspace,
  fixtureWorkspace,
  writeArrayTable,
  writeCatalog,
} from '../arrays/testing/fixture-workspace.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { floatList } from '../engine/number-list.ts'
import { withEngine } from '../engine/open-engine.ts'
import type { DatasetExport } from './export-context.ts'
import { exportDataset } from './export-dataset.ts'

let workspace: FixtureWorkspace
beforeEach(async () => {
  workspace = await fixtureWorkspace()
})
afterEach(() => workspace.remove())

const rows = 30_000
const idOf = (row: number) => createHash('md5').update(String(row)).digest('hex')

/** Three files of many row groups whose rows lie in no order of their ids, and predictions without arrays. */
const makeLarge = async (): Promise<void> => {
  const path = (file: number) => join(workspace.root, 'arrays', `f${file}.parquet`)
  await writeCatalog(workspace.catalogPath, [])
  await withEngine({}, async (engine) => {
    for (const file of [0, 1, 2]) {
      await engine.run(
        `COPY (SELECT md5(i::VARCHAR) AS prediction_id, 'soil' AS dataset_name, [i::DOUBLE, i + 0.5] AS y_true, [i::DOUBLE] AS y_pred
           FROM range(${(rows / 3) * file}, ${(rows / 3) * (file + 1)}) AS r(i)) TO $path (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
        { path: path(file) },
      )
    }
    await attachWritable(engine, workspace.catalogPath, 'made')
    await engine.run(`INSERT INTO made.predictions BY NAME SELECT prediction_id, 'soil' AS dataset_name, 'PLS' AS model_name, '' AS model_class,
        '0' AS fold_id, 'val' AS "partition", 'rmse' AS metric, i::DOUBLE AS val_score, 'regression' AS task_type, '' AS preprocessings,
        'fold' AS fold_kind, false AS aggregated, i < ${rows} AS has_arrays, '' AS search_text,
        CASE WHEN i < ${rows} THEN 'arrays/f' || (i // ${rows / 3}) || '.parquet' END AS array_source
      FROM (SELECT i, md5(i::VARCHAR) AS prediction_id FROM range(${rows + 100}) AS r(i)) ORDER BY prediction_id`)
    await detach(engine, 'made')
  })
}

const expected = [
  ...Array.from({ length: rows }, (_, row) => idOf(row)),
  ...Array.from({ length: 100 }, (_, row) => idOf(rows + row)).sort(),
]

const run = (format: DatasetExport['format'], layout: DatasetExport['layout'] = 'prediction', threads = 1) =>
  exportDataset(
    { resolved: workspace, catalog: { file: { path: workspace.catalogPath } }, engine: { threads } },
    { dataset_name: 'soil', format, layout, csv_dialect: 'plain', target: join(workspace.outside, `out.${format}`) },
  )

const idsIn = async (path: string, reader = 'read_parquet') => {
  const found = await withEngine({}, (engine) =>
    engine.rows(z.object({ prediction_id: z.string() }), `SELECT prediction_id FROM ${reader}($path)`, { path }),
  )
  return found.map((row) => row.prediction_id)
}

describe('test_export_row_order: file by file as stored, then what has no arrays by id', () => {
  it('Parquet, Arrow and CSV, with one thread and with several', async () => {
    await makeLarge()
    const [parquet, again] = [await run('parquet'), await idsIn((await run('parquet', 'prediction', 4)).path)]
    expect(await idsIn(parquet.path)).toEqual(expected)
    expect(again).toEqual(expected)
    const arrow = tableFromIPC(await readFile((await run('arrow', 'prediction', 2)).path))
    expect(Array.from(arrow.getChild('prediction_id') ?? [])).toEqual(expected)
    expect(await idsIn((await run('csv', 'prediction', 2)).path, 'read_csv')).toEqual(expected)
  })

  it('samples one after the other in the order of their prediction', async () => {
    await makeLarge()
    const { path } = await run('parquet', 'sample', 2)
    const found = await withEngine({}, (engine) =>
      engine.rows(
        z.object({ prediction_id: z.string(), position: z.number(), y_true: z.number() }),
        'SELECT prediction_id, position, y_true FROM read_parquet($path)',
        { path },
      ),
    )
    expect(found).toEqual(
      Array.from({ length: 2 * rows }, (_, sample) => ({
        prediction_id: idOf(sample >> 1),
        position: sample & 1,
        y_true: (sample >> 1) + (sample & 1) / 2,
      })),
    )
  })

  it('of a legacy table, in the order of the table', async () => {
    const made = ['c', 'a', 'b'].map(
      (prediction_id): FixturePrediction => ({
        prediction_id,
        dataset_name: 'soil',
        array_source: 'table',
        arrays: { y_true: floatList([1]) },
      }),
    )
    const duckdb = join(workspace.root, 'store.duckdb')
    await writeArrayTable(duckdb, made)
    await writeCatalog(workspace.catalogPath, made.toReversed())
    workspace = { ...workspace, duckdb }
    expect(await idsIn((await run('parquet')).path)).toEqual(['c', 'a', 'b'])
  })
})
