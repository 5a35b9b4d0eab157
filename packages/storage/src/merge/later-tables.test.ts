import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid, queryStore } from './testing/merge-fixture.ts'

test('results of later releases come with the columns of all sources, into a new table and into one that is there', {
  timeout: 60_000,
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
})
