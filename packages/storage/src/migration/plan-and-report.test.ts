import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeParquet, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { changeInLog } from '../testing/tamper.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { migrateStatus } from './migrate-status.ts'
import { planMigration } from './plan-migration.ts'
import { runMigration } from './run-migration.ts'

const predictions = ['a', 'b', 'c'].map((id) => ({ id, fold: id }))

test('the size of a store with a log is the same in the status, the plan and the report; the kept log is named', async () => {
  await using folder = await temporaryFolder()
  const store = join(folder.path, 'store.duckdb')
  await makeStore(store, { release: '0.7.1', predictions })
  await changeInLog(store, 'UPDATE prediction_arrays SET weights = range(5000)::DOUBLE[]')
  const log = (await stat(`${store}.wal`)).size
  expect(log).toBeGreaterThan(10_000)
  const bytes = (await stat(store)).size + log
  expect((await migrateStatus(folder.path)).store_bytes).toBe(bytes)
  const plan = await planMigration(folder.path)
  const report = await runMigration(folder.path, { jobId: 'one' })
  expect([plan.duckdb_size_before, report.duckdb_size_before]).toEqual([bytes, bytes])
  expect(report.backup_wal_path).toBe(`${report.backup_path}.wal`)
  expect(await migrateStatus(folder.path)).toMatchObject({ backup_wal_path: report.backup_wal_path, backup_bytes: bytes })
  const remark = (warnings: typeof plan.warnings) => warnings.find(({ code }) => code === 'write_ahead_log')?.detail
  expect(remark(plan.warnings)).toMatch(/they are in store\.duckdb\.wal and come along\.$/)
  expect(remark(report.warnings)).toMatch(/they were in store\.duckdb\.wal and have come along\.$/)
})

test('what a plan says of odd arrays its report says as well, also of rows that go to quarantine', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), {
    release: '0.7.1',
    predictions: [...predictions, { id: 'd', fold: 'd' }],
    extra: [
      "UPDATE prediction_arrays SET y_pred = [1.0, 2.0, 3.0, 4.0] WHERE prediction_id = 'b'",
      "UPDATE prediction_arrays SET y_true = [1.0, NULL, 3.0], y_pred = [1.0, 2.0, 3.0] WHERE prediction_id = 'c'",
      "UPDATE prediction_arrays SET y_pred = NULL WHERE prediction_id = 'd'",
      'CREATE TABLE kept AS SELECT * FROM prediction_arrays',
      'DROP TABLE prediction_arrays',
      'ALTER TABLE kept RENAME TO prediction_arrays',
      "INSERT INTO prediction_arrays VALUES ('nobody', [1, 2], [3], NULL, NULL, NULL)",
    ],
  })
  const plan = await planMigration(folder.path)
  expect(plan.warnings.map(({ code, count, ids }) => [code, count, ids])).toEqual(
    expect.arrayContaining([
      ['null_elements', 1, ['c']],
      ['length_mismatch', 2, ['b', 'nobody']],
    ]),
  )
  const report = await runMigration(folder.path, { jobId: 'one', batchSize: 2 })
  expect(report.warnings).toEqual(plan.warnings)
})

test.each(['alone', 'beside an array file'])(
  'arrays that are not as long as the store says are told of before and after, %s',
  async (how) => {
    await using folder = await temporaryFolder()
    const other = { id: 'd', fold: 'd', samples: 7 }
    await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: [...predictions, other] })
    if (how !== 'alone') {
      await mkdir(join(folder.path, 'arrays'))
      await makeParquet(join(folder.path, 'arrays', 'wheat.parquet'), [{ id: 'a', fold: 'a' }])
    }
    const plan = await planMigration(folder.path)
    const told = (warnings: typeof plan.warnings) => warnings.filter(({ code }) => code === 'samples_mismatch')
    expect(told(plan.warnings)).toMatchObject([
      { count: 1, ids: ['d'], detail: expect.stringMatching(/^1 prediction has .* an id may have changed\.$/) },
    ])
    const report = await runMigration(folder.path, { jobId: 'one' })
    expect(told(report.warnings)).toEqual(told(plan.warnings))
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    expect(findings).toContainEqual(expect.objectContaining({ code: 'samples_mismatch', ids: ['d'] }))
  },
)
