import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeStore, temporaryFolder } from '../testing/make-store.ts'
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
