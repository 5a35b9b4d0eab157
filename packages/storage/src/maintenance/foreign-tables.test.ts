import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, type StoreKind, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const removeRun = { kind: 'remove_run', run_id: 'run-1' } as const

const change = async (path: string, kind: StoreKind, sql: string): Promise<void> => {
  if (kind === 'sqlite') changeSqlite(join(path, 'store.sqlite'), sql)
  else await changeStore(join(path, 'store.duckdb'), sql)
}

test.each(storeKinds)(
  'rows of other tables that refer to a run of a store.%s refuse its removal if the trash cannot keep them',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }] })
    const tables = `CREATE TABLE run_tags (run_id VARCHAR REFERENCES runs(run_id), tag VARCHAR, PRIMARY KEY (run_id, tag));
    CREATE TABLE model_notes (artifact_id VARCHAR REFERENCES artifacts(artifact_id))`
    const rows = `INSERT INTO run_tags VALUES ('run-1', 'best');
    INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'm.joblib', 'h');
    INSERT INTO model_notes VALUES ('m')`
    await change(folder.path, kind, `${tables}; ${rows}`)
    const before = await hashTree(folder.path)
    await expect(makePlan(folder.path, removeRun)).rejects.toMatchObject({
      code: 'store_unsafe',
      message: 'Rows of the table "run_tags" refer to runs that would go, and cannot be kept in the trash with them. Nothing was changed.',
    })
    await expect(makePlan(folder.path, { kind: 'artifact_gc', grace_hours: 0 })).rejects.toMatchObject({ code: 'store_unsafe' })
    expect(await hashTree(folder.path)).toEqual(before)
    await change(folder.path, kind, 'DELETE FROM run_tags')
    expect((await makePlan(folder.path, removeRun)).counts).toMatchObject({ runs: 1, other_rows: 0 })
  },
)

test.each(storeKinds)(
  'rows of other tables, with numbers for keys or generated columns, go with their run of a store.%s, and come back',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }] })
    const tables = `CREATE TABLE notes (id BIGINT PRIMARY KEY, run_id VARCHAR REFERENCES runs(run_id), text VARCHAR);
    CREATE TABLE replies (id INTEGER PRIMARY KEY, note_id BIGINT REFERENCES notes(id),
      next INTEGER GENERATED ALWAYS AS (id + 1))`
    const rows = `INSERT INTO notes VALUES (7, 'run-1', 'best'), (9007199254740993, 'run-1', NULL), (8, NULL, 'other');
    INSERT INTO replies (id, note_id) VALUES (1, 9007199254740993), (2, 8)`
    await change(folder.path, kind, `${tables}; ${rows}`)
    const before = await snapshot(folder.path)
    const plan = await makePlan(folder.path, removeRun)
    expect(plan.counts.other_rows).toBe(3)
    const { operation_id } = await applyPlan(folder.path, plan, job)
    const { tables: left } = await snapshot(folder.path)
    expect([left.notes?.length, left.replies?.length]).toEqual([1, 1])
    await restoreTrash(folder.path, operation_id ?? '', job)
    expect(await snapshot(folder.path)).toEqual(before)
  },
)

test('a trigger that runs when rows of a store.sqlite go refuses their removal', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }] })
  const store = join(folder.path, 'store.sqlite')
  const work = (row: string) => `BEGIN DELETE FROM notes WHERE about = ${row}.prediction_id; END`
  changeSqlite(store, `CREATE TABLE notes (about TEXT); CREATE TRIGGER saved AFTER INSERT ON predictions ${work('NEW')}`)
  const request = { kind: 'remove_predictions' as const, prediction_ids: ['a'] }
  expect((await makePlan(folder.path, request)).counts.predictions).toBe(1)
  changeSqlite(store, `CREATE TRIGGER "of notes" AFTER delete /* here */ ON Predictions ${work('OLD')}`)
  await expect(makePlan(folder.path, request)).rejects.toMatchObject({
    code: 'store_unsafe',
    message: 'The trigger "of notes" runs when rows of predictions go; what it changes would not be in the trash. Nothing was changed.',
  })
})
