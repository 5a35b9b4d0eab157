import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import pl from 'nodejs-polars'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import { ParquetDecoder } from '../parquet/decode-row-group.ts'
import { arraysOf } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { planMigration } from './plan-migration.ts'
import { runMigration } from './run-migration.ts'

const inStore = <T>(path: string, work: (engine: Engine) => Promise<T>): Promise<T> =>
  withEngine({}, (engine) => withAttachedStore(engine, join(path, 'store.duckdb'), 'store', () => work(engine)))

describe('what legacy stores may hold', () => {
  const y = (value: string) => `UPDATE prediction_arrays SET ${value}`

  test('NaN, infinities, −0, null, empty and null elements come through bit for bit and read the same everywhere', async () => {
    await using folder = await temporaryFolder()
    const predictions = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => ({ id, dataset: 'odd', fold: id }))
    const extra = [
      // DuckDB's run-length encoding stores −0 beside 0 as 0; the source must really hold what is to come through.
      "PRAGMA force_compression = 'uncompressed'",
      y("y_true = ['-0'::DOUBLE, '-0'::DOUBLE], y_pred = [0, '-0'::DOUBLE] WHERE prediction_id = 'a'"),
      y("y_true = ['NaN'::DOUBLE, 'Infinity'::DOUBLE, '-Infinity'::DOUBLE, 5e-324, 1.7976931348623157e308] WHERE prediction_id = 'b'"),
      y("y_true = NULL, y_pred = [], weights = ['NaN'::DOUBLE] WHERE prediction_id = 'c'"),
      y("y_true = [NULL, 1, NULL], sample_indices = [2147483647, -2147483648, NULL] WHERE prediction_id = 'd'"),
      y("y_true = [NULL], y_pred = [NULL] WHERE prediction_id = 'e'"),
      y("y_true = range(30)::DOUBLE[], y_pred = range(30)::DOUBLE[], y_proba = range(210)::DOUBLE[] WHERE prediction_id = 'f'"),
      // Often enough repeated for a dictionary, in which the two zeros would become one.
      y("y_pred = list_transform(range(4000), x -> CASE x % 3 WHEN 0 THEN '-0'::DOUBLE ELSE x % 3 - 1 END) WHERE prediction_id = 'g'"),
      "UPDATE predictions SET val_score = '-0'::DOUBLE WHERE prediction_id = 'a'",
      "UPDATE predictions SET val_score = 'NaN'::DOUBLE WHERE prediction_id = 'b'",
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions, extra })
    const before = await arraysOf(folder.path)
    const plan = await planMigration(folder.path)
    expect(plan.warnings.map(({ code }) => code).sort()).toEqual(['length_mismatch', 'null_elements', 'samples_mismatch'])
    await runMigration(folder.path, { jobId: 'odd' })
    expect(await arraysOf(folder.path)).toEqual(before)
    await readEverywhere(join(folder.path, 'arrays', 'odd.parquet'))
  })

  const readEverywhere = async (file: string) => {
    const expected = {
      ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      b: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1.7976931348623157e308],
      d: [null, 1, null],
    }
    await withEngine({}, async (engine) => {
      const rows = await engine.rows(
        z.object({
          prediction_id: z.string(),
          y_true: z.array(z.number().or(z.nan()).or(z.any())).nullable(),
          y_pred: z.array(z.any()).nullable(),
          y_proba_shape: z.any(),
        }),
        `SELECT prediction_id, y_true, y_pred, y_proba_shape FROM read_parquet(${quotedString(file)})`,
      )
      expect(rows.map((row) => row.prediction_id)).toEqual(expected.ids)
      expect(rows[0]?.y_pred?.map((value) => Object.is(value, -0))).toEqual([false, true])
      expect(rows[1]?.y_true).toEqual(expected.b)
      expect([rows[2]?.y_true, rows[2]?.y_pred]).toEqual([null, []])
      expect(rows[3]?.y_true).toEqual(expected.d)
      expect(rows[4]?.y_true).toEqual([null])
      expect(rows[5]?.y_proba_shape).toEqual([30, 7])
    })
    const decoder = await ParquetDecoder.open(file)
    const block = await decoder.rowGroup(0)
    decoder.close()
    expect(textsOf(columnOf(block, 'prediction_id'))).toEqual(expected.ids)
    expect([...columnOf(block, 'y_true').valid]).toEqual([1, 1, 0, 1, 1, 1, 1])
    const polars = pl.readParquet(file)
    expect(polars.getColumn('prediction_id').toArray()).toEqual(expected.ids)
    expect(polars.getColumn('y_proba_shape').toArray()[5]).toEqual([30, 7])
    const bytes = await readFile(file)
    const objects = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors })
    expect(objects.map((row) => row.prediction_id)).toEqual(expected.ids)
    expect(objects[1]?.y_true).toEqual(expected.b)
    expect(objects[3]?.y_true).toEqual(expected.d)
  }

  test('a score of −0 that DuckDB itself stores as 0 is reported, not passed over', async () => {
    await using folder = await temporaryFolder()
    const predictions = ['a', 'b', 'c'].map((id) => ({ id, fold: id, score: 0 }))
    const store = join(folder.path, 'store.duckdb')
    await makeStore(store, { release: '0.7.1', predictions })
    // Left in the log: a checkpoint would make it 0 in the source as well.
    const script = `const { DuckDBInstance } = require('@duckdb/node-api'); DuckDBInstance.create(process.argv[1]).then(async (i) => {
      const c = await i.connect(); await c.run("SET checkpoint_threshold = '1GB'"); await c.run("INSERT INTO predictions SELECT * REPLACE ('d' AS prediction_id, '9' AS fold_id, '-0'::DOUBLE AS val_score) FROM predictions WHERE prediction_id = 'b'"); process.kill(process.pid, 'SIGKILL') })`
    const { spawnSync } = await import('node:child_process')
    spawnSync(process.execPath, ['-e', script, store], { cwd: import.meta.dirname })
    const report = await runMigration(folder.path, { jobId: 'zero' })
    expect(report.warnings.find(({ code }) => code === 'negative_zero')?.detail).toContain('predictions.val_score')
  })

  test('rows without metadata go to a quarantine file', async () => {
    await using folder = await temporaryFolder()
    const extra = [
      'CREATE TABLE kept AS SELECT * FROM prediction_arrays',
      'DROP TABLE prediction_arrays',
      'ALTER TABLE kept RENAME TO prediction_arrays',
      "INSERT INTO prediction_arrays VALUES ('nobody', [1, 2], [3, 4], NULL, NULL, NULL)",
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
    const report = await runMigration(folder.path, { jobId: 'one' })
    expect(report).toMatchObject({ quarantined_rows: 1, rows_migrated: 1, total_rows: 2 })
    await withEngine({}, async (engine) => {
      const rows = await engine.rows(
        z.any(),
        `SELECT prediction_id, y_pred FROM read_parquet(${quotedString(report.quarantine_path ?? '')})`,
      )
      expect(rows).toEqual([{ prediction_id: 'nobody', y_pred: [3, 4] }])
    })
  })

  test('a 0.7.0 store with duplicate natural keys keeps every row; the index that cannot be is reported', async () => {
    await using folder = await temporaryFolder()
    const predictions = [{ id: 'a' }, { id: 'b' }, { id: 'c', fold: '1' }]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.0', predictions, extra: ['UPDATE predictions SET branch_id = 0'] })
    const report = await runMigration(folder.path, { jobId: 'one' })
    expect(report.rows_migrated).toBe(3)
    expect(report.warnings.filter(({ code }) => code === 'duplicate_natural_keys')).toHaveLength(2)
    await inStore(folder.path, async (engine) => {
      const columns = await engine.rows(
        z.any(),
        "SELECT column_name FROM duckdb_columns() WHERE database_name = 'store' AND table_name = 'predictions'",
      )
      expect(columns).toContainEqual({ column_name: 'refit_context' })
      expect(await engine.one(z.any(), 'SELECT count(*) AS n FROM store.predictions')).toEqual({ n: 3 })
    })
  })

  const hostile = [
    'a b',
    'a_b',
    'a.b',
    'A',
    'a',
    '',
    '.',
    '..',
    '../../x',
    '/etc/passwd',
    '_tombstones',
    'CON',
    'a\'b"c',
    '*',
    '[ab]',
    'wh?at',
    'dataset_name=evil',
  ]
  const strange = [
    '__proto__',
    'constructor',
    'x'.repeat(4096),
    '😀'.repeat(200),
    'line\nbreak',
    '\u202etxt.exe',
    '\u0001',
    'e\u0301',
    '\u00e9',
  ]

  test('names that collide or cannot be file names stay apart by their rows, inside arrays/', async () => {
    await using folder = await temporaryFolder()
    const predictions = [...hostile, ...strange].map((dataset, index) => ({ id: `id-${index}`, dataset, y: [index] }))
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions })
    const before = await arraysOf(folder.path)
    const report = await runMigration(folder.path, { jobId: 'one' })
    expect(new Set(report.datasets_migrated)).toEqual(new Set([...hostile, ...strange]))
    expect(await arraysOf(folder.path)).toEqual(before)
    expect((await readdir(folder.path)).sort().map((name) => name.replace(/\d{8}T\d{6}Z/, '…'))).toEqual([
      '.nirs-workspace',
      'arrays',
      'store.duckdb',
      'store.duckdb.….bak',
    ])
    expect(await verifyWorkspace(folder.path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true })
  })

  test('tables and columns of other programs are carried along; views that the library drops are not', async () => {
    await using folder = await temporaryFolder()
    const extra = [
      'CREATE TABLE tuning_results (id VARCHAR PRIMARY KEY, value DOUBLE)',
      "INSERT INTO tuning_results VALUES ('t', 'NaN'::DOUBLE)",
      "ALTER TABLE predictions ADD COLUMN unit_level VARCHAR DEFAULT 'sample'",
      'CREATE VIEW v_aggregated_predictions AS SELECT 1 AS one',
      'CREATE VIEW mine AS SELECT count(*) AS n FROM predictions',
      'CREATE SCHEMA lab',
      'CREATE SCHEMA bare',
      'CREATE TABLE lab.notes (a INTEGER)',
      'CREATE INDEX idx_runs_project_id ON lab.notes(a)',
      'CREATE VIEW lab.best AS SELECT prediction_id FROM main.predictions',
      "COMMENT ON TABLE predictions IS 'ours'",
      "COMMENT ON COLUMN predictions.unit_level IS 'per sample'",
      "COMMENT ON VIEW lab.best IS 'the best'",
      "COMMENT ON TABLE prediction_arrays IS 'old'",
      'CREATE SEQUENCE counted',
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
    const { warnings } = await runMigration(folder.path, { jobId: 'one' })
    expect(warnings.filter(({ code }) => code === 'not_carried')).toMatchObject([{ detail: expect.stringContaining('main.counted') }])
    await inStore(folder.path, async (engine) => {
      expect(await engine.one(z.any(), 'SELECT unit_level FROM store.predictions')).toEqual({ unit_level: 'sample' })
      const carried = await engine.one(
        z.any(),
        `SELECT (SELECT column_default FROM duckdb_columns() WHERE column_name = 'unit_level' AND database_name = 'store') AS unit_level,
           (SELECT comment FROM duckdb_columns() WHERE column_name = 'unit_level' AND database_name = 'store') AS about,
           (SELECT comment FROM duckdb_tables() WHERE table_name = 'predictions' AND database_name = 'store') AS ours,
           (SELECT comment FROM duckdb_views() WHERE view_name = 'best' AND database_name = 'store') AS best,
           (SELECT count(*) FROM duckdb_schemas() WHERE schema_name IN ('lab', 'bare') AND database_name = 'store') AS schemas`,
      )
      expect(carried).toEqual({ unit_level: "'sample'", about: 'per sample', ours: 'ours', best: 'the best', schemas: 2 })
      expect(await engine.one(z.any(), 'SELECT prediction_id FROM store.lab.best')).toEqual({ prediction_id: 'a' })
      expect(await engine.one(z.any(), 'SELECT id FROM store.tuning_results')).toEqual({ id: 't' })
      const views = await engine.rows(
        z.any(),
        "SELECT view_name AS v FROM duckdb_views() WHERE database_name = 'store' AND NOT internal ORDER BY v",
      )
      expect(views).toEqual([{ v: 'best' }, { v: 'mine' }, { v: 'v_chain_summary' }])
      const indexes = await engine.one(z.any(), "SELECT count(*) AS n FROM duckdb_indexes() WHERE database_name = 'store'")
      expect(indexes).toEqual({ n: 15 })
      const storage = await engine.one(z.any(), "SELECT tags::VARCHAR AS t FROM duckdb_databases() WHERE database_name = 'store'")
      expect(storage.t).toContain('v1.0.0')
    })
  })

  test('chain summaries are filled in as nirs4all 0.8 does', async () => {
    await using folder = await temporaryFolder()
    const scores = (value: string) => `{"val": {"rmse": ${value}, "nmse": "0.5"}, "test": {"rmse": 1}}`
    const predictions = [
      { id: 'a', fold: '0', score: 1, scores: scores('0.1') },
      { id: 'b', fold: '1', score: 2, scores: scores('0.2') },
      { id: 'c', fold: 'avg', score: 3, scores: scores('Infinity') },
      { id: 'd', fold: 'final', partition: 'test', refit: 'standalone', score: 0, scores: '{"test": {"rmse": 9}}' },
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions })
    await runMigration(folder.path, { jobId: 'one' })
    await inStore(folder.path, async (engine) => {
      const row = await engine.one(
        z.any(),
        'SELECT model_name, metric, cv_val_score, cv_fold_count, cv_scores::VARCHAR AS cv, best_params::VARCHAR AS best, final_scores::VARCHAR AS final, dataset_name FROM store.v_chain_summary',
      )
      expect(row).toEqual({
        model_name: 'PLS',
        metric: 'rmse',
        cv_val_score: 2,
        cv_fold_count: 3,
        cv: '{"val": {"rmse": Infinity}}',
        best: '{"n_components": 5}',
        final: '{"test": {"rmse": 9}}',
        dataset_name: 'wheat',
      })
    })
  })
})
