import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { stopFrom } from '../testing/stop-from.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

test('results of later releases come with the columns of all sources, into a new table and into one that is there; alone they tell that a merge is done', {
  timeout: 600_000,
}, async () => {
  await using folder = await temporaryFolder()
  const make = (name: string, columns: string, values: string) =>
    makeHybrid(join(folder.path, name), {
      predictions: [{ id: 'p', y: null, samples: null }],
      extra: [
        `CREATE TABLE tuning_results (tuning_id VARCHAR PRIMARY KEY, run_id VARCHAR${columns})`,
        `INSERT INTO tuning_results VALUES ('${name}', 'run-1'${values})`,
      ],
    })
  const first = [await make('one', ', score DOUBLE', ', 0.5'), await make('two', ', Score DOUBLE, "of day" VARCHAR', ", 1.5, 'Monday'")]
  const later = await make('three', ', mood VARCHAR', ", 'good'")
  const target = join(folder.path, 'to')
  const options = { cacheFolder: join(folder.path, 'cache'), create: true }
  await mergeStores(target, first, { ...options, jobId: 'first' })
  await mergeStores(target, [later], { ...options, jobId: 'later' })
  expect(await queryStore(target, 'SELECT * FROM tuning_results ORDER BY tuning_id')).toEqual([
    { tuning_id: 'one', run_id: 'run-1', score: 0.5, 'of day': null, mood: null },
    { tuning_id: 'three', run_id: 'run-1', score: null, 'of day': null, mood: 'good' },
    { tuning_id: 'two', run_id: 'run-1', score: 1.5, 'of day': 'Monday', mood: null },
  ])
  // Results alone, stopped when they are in the store: no other row tells.
  const fourth = await make('four', ', score DOUBLE', ', 2.5')
  await stopFrom(
    ({ kind, path }) => kind === 'fsync' && path === join(target, 'store.duckdb'),
    0,
    () => mergeStores(target, [fourth], { ...options, jobId: 'stopped' }),
  )
  await forgetLock(target)
  expect(await recoverWorkspace(target)).toMatchObject({ outcome: 'finished' })
  expect(await queryStore(target, "SELECT score FROM tuning_results WHERE tuning_id = 'four'")).toEqual([{ score: 2.5 }])
})
