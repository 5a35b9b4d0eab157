import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { withEngine } from '../engine/open-engine.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { readFooter } from '../parquet/footer.ts'
import { beginLineage, predictionOf } from '../store/testing/store-fixture.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { Predictions } from './predictions.ts'

const made: MadePrediction[] = [
  { id: 'a', score: 0.4, y: [1, 2, 3] },
  { id: 'b', score: 0.2, y: [4, Number.NaN, 6] },
  { id: 'removed', score: 0.1, y: [7] },
  { id: 'none', score: 0.3, y: null },
]
const tombstones = JSON.stringify({ removed: '2026-01-01T00:00:00Z' })

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let cacheFolder: string
beforeAll(async () => {
  folder = await temporaryFolder()
  cacheFolder = join(folder.path, 'cache')
  await mkdir(join(folder.path, 'legacy'))
  await makeStore(join(folder.path, 'legacy', 'store.duckdb'), { release: '0.7.1', predictions: made.filter(({ id }) => id !== 'removed') })
  // A name that DuckDB would take for a pattern, and for a partition.
  for (const name of ['hybrid', 'h=1 [a]*']) {
    await mkdir(join(folder.path, name, 'arrays'), { recursive: true })
    await makeStore(join(folder.path, name, 'store.duckdb'), { release: '0.8.1', predictions: made })
    await makeParquet(
      join(folder.path, name, 'arrays', 'wheat.parquet'),
      made.filter(({ y }) => y !== null),
    )
    await writeFile(join(folder.path, name, 'arrays', '_tombstones.json'), tombstones)
  }
  await makeParquet(join(folder.path, 'lone.parquet'), made.slice(0, 2))
  await using store = await WorkspaceStore.open(join(folder.path, 'own'), { create: true })
  const lineage = await beginLineage(store)
  const save = (fold_id: string, arrays: Parameters<typeof store.savePrediction>[1], task_type = 'regression') =>
    store.savePrediction(predictionOf(lineage, { prediction_id: fold_id, fold_id, task_type, n_samples: undefined }), arrays)
  await save('targets', { y_true: [1, 2, 3, 4], y_pred: [1.5, 2, 2, 4], sample_indices: [7, 8] })
  await save('classes', { y_true: [0, 1], y_pred: [1, 1], sample_indices: [0, 1] }, 'binary_classification')
  await save('measured', { y_true: [1, 2, 3] })
  await save('weights', { weights: [0.5, 0.5] })
})
afterAll(() => folder[Symbol.asyncDispose]())

/** Processes start slowly on a machine that is busy. */
const slow = { deadline: 60_000 }
const open = (name: string) => Predictions.open(join(folder.path, name), { cacheFolder })

describe('samples: the arrays, one row per sample', () => {
  const names = [
    'prediction_id',
    'dataset_name',
    'model_name',
    'fold_id',
    'partition',
    'position',
    'target',
    'sample_index',
    'y_true',
    'y_pred',
    'error',
  ]

  test.each(['legacy', 'hybrid', 'h=1 [a]*', 'lone.parquet', 'own'])('%s: what an export of samples holds', async (name) => {
    const before = await hashTree(join(folder.path, name))
    await using predictions = await open(name)
    const { columns, rows } = await predictions.query('SELECT * FROM samples ORDER BY prediction_id, position', slow)
    expect(columns.map((column) => column.name)).toEqual(names)
    const resolved = await resolveWorkspace(join(folder.path, name))
    await using outside = await temporaryFolder()
    const target = join(outside.path, 'samples.parquet')
    const request = { dataset_name: 'wheat', format: 'parquet', layout: 'sample', csv_dialect: 'plain', target } as const
    await exportDataset({ resolved, catalog: { file: await buildCatalog(resolved, { cacheFolder }) } }, request)
    const exported = await withEngine({}, (engine) =>
      engine.rows(
        z.object({ row: z.string() }),
        `SELECT to_json([${names.map((column) => `"${column}"::VARCHAR`).join(', ')}])::VARCHAR AS row FROM '${target}' ORDER BY prediction_id, position`,
      ),
    )
    const { rows: texts } = await predictions.query(
      `SELECT to_json([${names.map((column) => `"${column}"::VARCHAR`).join(', ')}])::VARCHAR FROM samples ORDER BY prediction_id, position`,
      slow,
    )
    expect(texts.flat()).toEqual(exported.map(({ row }) => row))
    expect(rows.length).toBe(exported.length)
    expect(rows.length).toBeGreaterThan(0)
    expect((await predictions.query('SELECT * FROM samples LIMIT 2', slow)).row_count).toBe(2)
    expect((await predictions.query('DESCRIBE samples', slow)).row_count).toBe(names.length)
    expect(await hashTree(join(folder.path, name))).toBe(before)
  })

  test('targets lie side by side; classes and lists of different lengths have no error; what has no arrays, or was removed, has no rows', async () => {
    await using own = await open('own')
    const asked =
      'SELECT prediction_id, position, target, sample_index, y_true, y_pred, error FROM samples ORDER BY prediction_id, position'
    expect((await own.query(asked, slow)).rows).toEqual([
      ['classes', 0, 0, 0, 0, 1, null],
      ['classes', 1, 0, 1, 1, 1, null],
      ['measured', 0, 0, null, 1, null, null],
      ['measured', 1, 0, null, 2, null, null],
      ['measured', 2, 0, null, 3, null, null],
      ['targets', 0, 0, 7, 1, 1.5, 0.5],
      ['targets', 1, 1, 7, 2, 2, 0],
      ['targets', 2, 0, 8, 3, 2, -1],
      ['targets', 3, 1, 8, 4, 4, 0],
    ])
    await using hybrid = await open('hybrid')
    const counted = 'SELECT prediction_id, count(*) FROM samples JOIN predictions USING (prediction_id) GROUP BY 1 ORDER BY 1'
    expect((await hybrid.query(counted, slow)).rows).toEqual([
      ['a', 3],
      ['b', 3],
    ])
  })

  test('a damaged file is named by a statement that asks for samples, and by no other', async () => {
    const path = join(folder.path, 'damaged')
    {
      await using store = await WorkspaceStore.open(path, { create: true })
      await store.savePrediction(predictionOf(await beginLineage(store)), { y_true: [1, 2], y_pred: [1.25, 2.5] })
    }
    const file = join(path, 'arrays', 'wheat.parquet')
    const bytes = await readFile(file)
    const at = (await readFooter(file)).start >> 1
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await writeFile(file, bytes)
    await using predictions = await open('damaged')
    await expect(predictions.query('SELECT y_pred FROM samples', slow)).rejects.toMatchObject({
      code: 'arrays_corrupt',
      message: expect.stringContaining('arrays/wheat.parquet'),
    })
    expect((await predictions.query('SELECT count(*) FROM predictions', slow)).rows).toEqual([[1]])
    expect((await predictions.query('WITH samples AS (SELECT 1 AS one) FROM samples', slow)).rows).toEqual([[1]])
    await rename(file, join(path, 'arrays', 'moved'))
    await expect(predictions.query('FROM samples', slow)).rejects.toMatchObject({ code: 'arrays_missing' })
  })

  test('arrays that are not those of their prediction are not shown, and those that have gone are missed', async () => {
    const path = join(folder.path, 'foreign')
    await mkdir(join(path, 'arrays'), { recursive: true })
    await makeStore(join(path, 'store.duckdb'), { release: '0.8.1', predictions: [{ id: 'a', score: 1, y: [1, 2, 3] }] })
    await makeParquet(join(path, 'arrays', 'wheat.parquet'), [{ id: 'a', score: 1, y: [1, 2] }])
    await using predictions = await open('foreign')
    await expect(predictions.query('SELECT y_true FROM samples', slow)).rejects.toMatchObject({
      code: 'arrays_corrupt',
      message: expect.stringContaining('prediction a'),
    })
    await makeParquet(join(path, 'arrays', 'wheat.parquet'), [{ id: 'b', score: 1, y: [1, 2, 3] }])
    await expect(predictions.query('SELECT y_true FROM samples', slow)).rejects.toMatchObject({
      code: 'arrays_missing',
      message: expect.stringContaining('prediction a'),
    })
  })

  test.each([
    "SELECT * FROM samples, 'arrays/wheat.parquet'",
    "SELECT * FROM samples, read_parquet('/proc/self/fd/20')",
    "SELECT * FROM samples, read_text('/etc/passwd')",
    'SELECT * FROM samples, (FROM duckdb_views())',
    'SELECT * FROM memory.main.samples',
    'SELECT * FROM samples, prediction_arrays',
    "COPY (SELECT * FROM samples) TO '/tmp/samples.csv'",
  ])('nothing else can be read beside them: %s', async (sql) => {
    await using hybrid = await open('hybrid')
    await expect(hybrid.query(sql, slow)).rejects.toMatchObject({ code: 'sql_not_allowed' })
  })
})

test('chain_summary: the figures that the store gives for each chain, over real folds alone', async () => {
  const path = join(folder.path, 'chains')
  const expected: unknown[] = []
  {
    await using store = await WorkspaceStore.open(path, { create: true })
    const scores = [
      { '0': 1, '1': 3, '2': 8, avg: 100, w_avg: 100, '0_agg': 100, final: 0 },
      { '0': 2, '1': null },
      { '': 5, final: 0 },
      { '0': Number.NaN, '1': 4 },
      { final: 0 },
      { '0': 7, context: 0 },
    ]
    for (const folds of scores) {
      const lineage = await beginLineage(store)
      for (const [fold_id, val_score] of Object.entries(folds)) {
        for (const partition of ['train', 'val', 'test'] as const) {
          const refit_context = fold_id === 'final' || fold_id === 'context' ? 'standalone' : null
          const test_score = val_score === null ? null : val_score * 2 + 1
          store.bufferPrediction(predictionOf(lineage, { fold_id, partition, val_score, test_score, refit_context, n_samples: undefined }))
        }
      }
      await store.flush()
      const { cv, final, folds: real } = await store.chainSummary(lineage.chain)
      const values = real.map((fold) => fold.val_score)
      expect(values.length).toBe(cv.fold_count)
      expected.push([lineage.chain, 'wheat', 'PLS', 'rmse', cv.fold_count, told(cv.val), told(cv.test), final?.test_score ?? null])
    }
    const { chain } = await beginLineage(store)
    expected.push([chain, 'wheat', null, null, 0, null, null, null])
  }
  await using predictions = await open('chains')
  const { columns, rows } = await predictions.query(
    'SELECT s.* FROM chain_summary s JOIN chains c USING (chain_id) ORDER BY c.created_at',
    slow,
  )
  const figures = ['val', 'test'].flatMap((name) => ['mean', 'min', 'max', 'std'].map((figure) => `${name}_${figure}`))
  expect(columns.map(({ name }) => name)).toEqual([
    'chain_id',
    'dataset_name',
    'model_name',
    'metric',
    'n_folds',
    ...figures,
    'final_test_score',
  ])
  expect(rows.map((row) => [...row.slice(0, 6), row[9], row[13]])).toEqual(expected)
  expect(rows.map((row) => row.slice(6, 9))).toEqual([
    [1, 8, Math.sqrt(13)],
    [2, 2, null],
    [5, 5, null],
    [4, 4, 'NaN'],
    [null, null, null],
    [7, 7, null],
    [null, null, null],
  ])
})

const told = (score: number | null) => (Number.isNaN(score) ? 'NaN' : score)
