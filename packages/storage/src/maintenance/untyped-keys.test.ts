import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, snapshot } from './testing/maintenance-fixture.ts'

test('whole numbers for keys in a column without a type refuse a removal, texts and those of a column of numbers do not', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }] })
  const store = join(folder.path, 'store.sqlite')
  const run = 'run_id REFERENCES runs(run_id)'
  changeSqlite(
    store,
    `CREATE TABLE notes (id PRIMARY KEY, ${run}); INSERT INTO notes VALUES ('7', 'run-1'), (7, 'run-1');
    CREATE TABLE counts (id NUMERIC PRIMARY KEY, ${run}); INSERT INTO counts VALUES (7, 'run-1'), (9007199254740993, 'run-1')`,
  )
  const plan = () => makePlan(folder.path, { kind: 'remove_run', run_id: 'run-1' })
  await expect(plan()).rejects.toMatchObject({
    code: 'store_unsafe',
    message:
      'The table "notes" has keys that are neither text nor whole numbers in a column of numbers: its rows cannot be kept in the trash. Nothing was changed.',
  })
  changeSqlite(store, "DELETE FROM notes WHERE typeof(id) = 'integer'")
  const before = await snapshot(folder.path)
  const { operation_id, counts } = await applyPlan(folder.path, await plan(), { jobId: 'job' })
  expect(counts.other_rows).toBe(3)
  await restoreTrash(folder.path, operation_id ?? '', { jobId: 'job' })
  expect(await snapshot(folder.path)).toEqual(before)
})
