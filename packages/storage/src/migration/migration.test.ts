import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import pl from 'nodejs-polars'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { quotedString } from '../engine/attach-store.ts'
import { type Engine, withEngine } from '../engine/open-engine.ts'
import { columnOf, textsOf } from '../parquet/column-block.ts'
import { ParquetDecoder } from '../parquet/decode-row-group.ts'
import { readFooter } from '../parquet/footer.ts'
import { readChecksums, readSummary } from '../parquet/own-metadata.ts'
import { ParquetReader } from '../parquet/parquet-reader.ts'
import { arraysOf, faultFixture, filesOf, type Scratch } from '../testing/fault-oracle.ts'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { formsWith } from './array-columns.ts'
import { deleteBackup } from './delete-backup.ts'
import { migrateStatus } from './migrate-status.ts'
import { planMigration } from './plan-migration.ts'
import { rollbackMigration } from './rollback-migration.ts'
import { openQueries } from './row-source.ts'
import { runMigration } from './run-migration.ts'
import { stageFile } from './stage-file.ts'
import { verifyStaged } from './verify-staged.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await faultFixture()
})
afterAll(() => scratch[Symbol.asyncDispose]())

const isOurs = ([name]: [string, string]) => name.startsWith('.nirs-workspace') || name.startsWith('arrays') || name.endsWith('.bak')

const inStore = <T>(path: string, work: (engine: Engine) => Promise<T>): Promise<T> =>
  withEngine({}, (engine) => withAttachedStore(engine, join(path, 'store.duckdb'), 'store', () => work(engine)))

test('test_migration_roundtrip: all data is there afterwards, from Parquet, and the original is kept to the byte', async () => {
  const path = await scratch.copy('roundtrip')
  const [before, arrays] = [await filesOf(path), await arraysOf(path)]
  const report = await runMigration(path, { jobId: 'one' })
  expect(report).toMatchObject({
    total_rows: 21,
    rows_migrated: 21,
    verification_passed: true,
    verification_sample_size: 21,
    verification_mismatches: 0,
  })
  expect(await arraysOf(path)).toEqual(arrays)
  const after = await filesOf(path)
  expect(after[report.backup_path.slice(path.length + 1)]).toBe(before['store.duckdb'])
  expect(Object.entries(after).filter((entry) => !isOurs(entry) && entry[0] !== 'store.duckdb')).toEqual(
    Object.entries(before).filter(([name]) => name !== 'store.duckdb'),
  )
  expect(await migrateStatus(path)).toMatchObject({ migration_needed: false, storage_mode: 'migrated', can_roll_back: true })
  expect(await verifyWorkspace(path, { depth: 'deep' })).toMatchObject({ passed: true, proof_holds: true, rows_checked: 21 })
  await expect(runMigration(path, { jobId: 'two' })).rejects.toMatchObject({ code: 'not_migratable' })
})

test('test_migration_roundtrip: rolling back restores the workspace to the byte and to its mode', async () => {
  const path = await scratch.copy('rollback')
  const before = await filesOf(path)
  await runMigration(path, { jobId: 'one' })
  const report = await rollbackMigration(path, { jobId: 'back' })
  expect(report.kept_newer_state_at).toBeNull()
  const after = Object.entries(await filesOf(path)).filter(([name]) => !name.startsWith('.nirs-workspace'))
  expect(after).toEqual(Object.entries(before))
  expect(await migrateStatus(path)).toMatchObject({ migration_needed: true, storage_mode: 'legacy', can_roll_back: false })
  await expect(rollbackMigration(path, { jobId: 'again' })).rejects.toMatchObject({ code: 'proof_not_found' })
  await expect(runMigration(path, { jobId: 'three' })).resolves.toMatchObject({ rows_migrated: 21 })
})

test('roll back refuses a workspace that was used since; forced, it keeps the newer state', async () => {
  const path = await scratch.copy('used')
  const legacy = await filesOf(path)
  await runMigration(path, { jobId: 'one' })
  await withEngine({}, async (engine) => {
    await engine.run(`ATTACH ${quotedString(join(path, 'store.duckdb'))} AS s; UPDATE s.runs SET summary = '{"newer": true}'`)
  })
  await writeFile(join(path, 'arrays', 'new.parquet'), 'written by somebody else')
  const used = await filesOf(path)
  await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'changed_since_migration' })
  expect(await filesOf(path)).toEqual(used)
  const { kept_newer_state_at: kept } = await rollbackMigration(path, { jobId: 'back', force: true })
  const after = await filesOf(path)
  expect(after['store.duckdb']).toBe(legacy['store.duckdb'])
  expect(after['arrays/new.parquet']).toBe(used['arrays/new.parquet'])
  expect(after[join(kept ?? '', 'store.duckdb').slice(path.length + 1)]).toBe(used['store.duckdb'])
})

test('test_migration_dry_run: the plan says what would happen and leaves the workspace as it was', async () => {
  const path = await scratch.copy('dry')
  const before = await filesOf(path)
  const plan = await planMigration(path)
  expect(await filesOf(path)).toEqual(before)
  expect(plan).toMatchObject({ dry_run: true, total_rows: 21, total_values: 168, quarantine_rows: 0, storage_mode: 'legacy' })
  expect(plan.datasets.find(({ name }) => name === 'soil pH')).toMatchObject({
    file: 'soil_pH.parquet',
    shares_file_with: ['soil_pH'],
    rows: 7,
  })
  expect(plan.warnings.map(({ code }) => code)).toEqual(['shared_file_name'])
  expect((await planMigration(path)).plan_id).toBe(plan.plan_id)
  await withEngine({}, (engine) =>
    engine.run(`ATTACH ${quotedString(join(path, 'store.duckdb'))} AS s; UPDATE s.runs SET error = 'changed'`),
  )
  await expect(runMigration(path, { jobId: 'stale', planId: plan.plan_id })).rejects.toMatchObject({ code: 'plan_stale' })
})

test('test_migration_verification: one changed bit in a written file is found', async () => {
  const path = await scratch.copy('bad-row')
  await runMigration(path, { jobId: 'one' })
  const good = quotedString(join(path, 'arrays', 'wheat.parquet'))
  const changed =
    "list_transform(y_true, x -> CASE WHEN prediction_id = 'wheat-3' AND x = 3 THEN nextafter(x, 9::DOUBLE) ELSE x END) AS y_true"
  const bads = [
    { replaced: changed, mismatches: 1, examples: ['wheat-3 (y_true)'] },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN nextafter(val_score, 9::DOUBLE) ELSE val_score END AS val_score", mismatches: 7 },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN NULL ELSE metric END AS metric", mismatches: 7 },
    { replaced: "CASE prediction_id WHEN 'wheat-3' THEN [] ELSE weights END AS weights", mismatches: 1, examples: ['wheat-3 (weights)'] },
  ]
  const reader = new ParquetReader()
  await withEngine({}, async (engine) => {
    for (const [index, { replaced, ...expected }] of bads.entries()) {
      const file = (name: string, sql: string) => ({
        name,
        path: join(path, name),
        openRows: (from: Engine, signal: AbortSignal | undefined) => openQueries(from, [sql], signal),
        rows: 7,
        datasets: [],
        columns: formsWith([]),
        extras: [],
        existing: false,
      })
      const from = `FROM read_parquet(${good})`
      const source = await stageFile(engine, file(`source-${index}.parquet`, `SELECT * ${from}`), { rowGroup: 2048 })
      const bad = file(`bad-${index}.parquet`, `SELECT * REPLACE (${replaced}) ${from}`)
      await stageFile(engine, bad, { rowGroup: 2048 })
      const verified = await verifyStaged(reader, bad, source)
      expect(verified).toMatchObject(expected)
      const isInArrays = expected.mismatches === 1
      expect(verified.source.get('wheat')?.sha256 === verified.parquet.get('wheat')?.sha256).toBe(!isInArrays)
    }
  })
  await reader.close()
})

test('deep verification finds any flipped bit of the data, quick verification a cut file', { timeout: 300_000 }, async () => {
  const path = await scratch.copy('flips')
  await runMigration(path, { jobId: 'one' })
  const file = join(path, 'arrays', 'wheat.parquet')
  const good = await readFile(file)
  for (let position = 5; position < good.length; position += Math.ceil(good.length / 12)) {
    const bad = Buffer.from(good)
    bad[position] = (bad[position] ?? 0) ^ 4
    await writeFile(file, bad)
    const { passed, proof_holds, findings } = await verifyWorkspace(path, { depth: 'deep' })
    expect({ position, passed, proof_holds }).toEqual({ position, passed: false, proof_holds: false })
    expect(findings.some(({ detail }) => detail.includes('wheat.parquet'))).toBe(true)
  }
  await writeFile(file, good.subarray(0, good.length - 100))
  expect(await verifyWorkspace(path, { depth: 'quick' })).toMatchObject({ passed: false })
})

test('cancelling, at any moment before the commit, leaves nothing behind', async () => {
  const path = await scratch.copy('cancel')
  const before = await filesOf(path)
  const phases = ['recover', 'plan', 'stage', 'report'] as const
  for (const phase of phases) {
    const stop = new AbortController()
    const running = runMigration(path, {
      jobId: 'cancelled',
      signal: stop.signal,
      onProgress: (progress) => {
        if (progress.phase === phase) stop.abort()
      },
    })
    await expect(running, phase).rejects.toMatchObject({ code: 'cancelled' })
    expect(await filesOf(path), phase).toEqual(before)
  }
})

test('a store that a writer holds is refused with its process id, and nothing is left behind', async () => {
  const path = await scratch.copy('held')
  const before = await filesOf(path)
  const { spawn } = await import('node:child_process')
  const script = `const { DuckDBInstance } = require('@duckdb/node-api'); DuckDBInstance.create(process.argv[1]).then((i) => { globalThis.i = i; console.log('open'); setInterval(() => {}, 1e6) })`
  const writer = spawn(process.execPath, ['-e', script, join(path, 'store.duckdb')], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => writer.stdout.once('data', resolve))
  try {
    await expect(runMigration(path, { jobId: 'one' })).rejects.toMatchObject({
      code: 'store_locked',
      fields: { locked_by: { pid: writer.pid } },
    })
  } finally {
    writer.kill('SIGKILL')
    await new Promise((resolve) => writer.once('exit', resolve))
  }
  await rm(join(path, 'store.duckdb.wal'), { force: true })
  expect(Object.keys(await filesOf(path))).toEqual(Object.keys(before))
})

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
    expect(plan.warnings.map(({ code }) => code).sort()).toEqual(['length_mismatch', 'null_elements'])
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
    ]
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [{ id: 'a' }], extra })
    await runMigration(folder.path, { jobId: 'one' })
    await inStore(folder.path, async (engine) => {
      expect(await engine.one(z.any(), 'SELECT unit_level FROM store.predictions')).toEqual({ unit_level: 'sample' })
      expect(await engine.one(z.any(), 'SELECT id FROM store.tuning_results')).toEqual({ id: 't' })
      const views = await engine.rows(
        z.any(),
        "SELECT view_name AS v FROM duckdb_views() WHERE database_name = 'store' AND NOT internal ORDER BY v",
      )
      expect(views).toEqual([{ v: 'mine' }, { v: 'v_chain_summary' }])
      const indexes = await engine.one(z.any(), "SELECT count(*) AS n FROM duckdb_indexes() WHERE database_name = 'store'")
      expect(indexes).toEqual({ n: 14 })
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

  test('every file says in its footer what it holds', async () => {
    const path = await scratch.copy('footer')
    await runMigration(path, { jobId: 'one' })
    const footer = await readFooter(join(path, 'arrays', 'soil_pH.parquet'))
    expect(readSummary(footer)).toMatchObject({
      rows: 14,
      datasets: [
        { name: 'soil pH', rows: 7 },
        { name: 'soil_pH', rows: 7 },
      ],
      metrics: [{ metric: 'rmse', direction: 'lower', rows: 14 }],
    })
    expect(readChecksums(footer)?.row_groups).toHaveLength(1)
  })

  test('deleting the backup takes the original away and nothing else', async () => {
    const path = await scratch.copy('backup')
    const { backup_path } = await runMigration(path, { jobId: 'one' })
    const before = await filesOf(path)
    expect((await deleteBackup(path)).deleted).toEqual([backup_path.slice(path.length + 1)])
    expect(existsSync(backup_path)).toBe(false)
    expect(Object.keys(before).length - Object.keys(await filesOf(path)).length).toBe(1)
    expect(await migrateStatus(path)).toMatchObject({ can_roll_back: false, storage_mode: 'migrated' })
    await expect(rollbackMigration(path, { jobId: 'back' })).rejects.toMatchObject({ code: 'backup_not_found' })
  })
})
