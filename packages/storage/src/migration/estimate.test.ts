import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { changeInLog } from '../testing/tamper.ts'
import { planMigration } from './plan-migration.ts'
import { runMigration } from './run-migration.ts'

/** So many predictions of a dataset, the arrays of each being this list. */
const many = (dataset: string, rows: number, list: string): string[] => [
  `INSERT INTO predictions SELECT predictions.* REPLACE (prediction_id || '-' || i AS prediction_id, fold_id || '-' || i AS fold_id)
   FROM predictions, range(${rows}) AS numbers(i) WHERE prediction_id = '${dataset}'`,
  `INSERT INTO prediction_arrays (prediction_id, y_true, y_pred) SELECT prediction_id, ${list}, ${list} FROM predictions
   WHERE prediction_id LIKE '${dataset}-%'`,
]

test('the size of the files is estimated from all over the table: its beginning may compress much better than the rest', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.7.1',
    predictions: ['even', 'noisy'].map((id) => ({ id, dataset: id })),
    extra: [
      ...many('even', 3000, 'list_transform(range(200), x -> 1.0::DOUBLE)'),
      ...many('noisy', 3000, 'list_transform(range(200), x -> (hash(prediction_id || x) % 1000000007) / 1000000007.0)'),
    ],
  })
  const { parquet_bytes_estimated } = await planMigration(folder.path)
  const { parquet_total_size } = await runMigration(folder.path, { jobId: 'one' })
  expect(parquet_bytes_estimated / parquet_total_size).toBeGreaterThan(0.8)
  expect(parquet_bytes_estimated / parquet_total_size).toBeLessThan(1.25)
})

test('a file of one row is estimated with its footer and headers, and a store without the blocks that were freed in it', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.7.1',
    predictions: ['alone', 'also alone', 'also_alone'].map((id) => ({ id, dataset: id })),
    extra: ['CREATE TABLE gone AS SELECT hash(i) AS a, hash(i + 1) AS b FROM range(200000) AS numbers(i)', 'CHECKPOINT', 'DROP TABLE gone'],
  })
  const plan = await planMigration(folder.path)
  const report = await runMigration(folder.path, { jobId: 'one' })
  const accuracy = plan.datasets.map(({ name, bytes_estimated }) => {
    const bytes = report.datasets.find((dataset) => dataset.name === name)?.bytes ?? 0
    return bytes_estimated / bytes
  })
  expect(Math.min(...accuracy)).toBeGreaterThan(0.85)
  expect(Math.max(...accuracy)).toBeLessThan(1.15)
  expect(plan.parquet_bytes_estimated).toBe(plan.datasets.reduce((sum, { bytes_estimated }) => sum + bytes_estimated, 0))
  expect(plan.duckdb_size_before).toBeGreaterThan(plan.duckdb_size_estimated + 2_000_000)
  // The new store has tables and indexes that this one lacks, each in a block of its own.
  expect(plan.duckdb_size_estimated / report.duckdb_size_after).toBeGreaterThan(0.7)
  expect(plan.duckdb_size_estimated / report.duckdb_size_after).toBeLessThan(1.25)
})

test('the free space that is needed counts array files that are written anew, what goes to quarantine, and the log', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions: [{ id: 'a' }] })
  const alone = (await planMigration(folder.path)).free_bytes_needed
  await mkdir(join(folder.path, 'arrays'))
  const file = join(folder.path, 'arrays', 'wheat.parquet')
  const noise = Array.from({ length: 5000 }, (_, index) => Math.sin(index))
  await makeParquet(file, [
    { id: 'a', y: noise },
    { id: 'only here', y: noise },
  ])
  const written = alone + 2 * (await stat(file)).size
  expect((await planMigration(folder.path)).free_bytes_needed).toBeGreaterThanOrEqual(written)
  await changeInLog(store, `UPDATE runs SET error = repeat('long', 5000)`)
  expect((await planMigration(folder.path)).free_bytes_needed).toBeGreaterThanOrEqual(written + (await stat(`${store}.wal`)).size)
})
