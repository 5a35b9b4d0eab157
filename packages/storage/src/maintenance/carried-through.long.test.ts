import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { afterEach, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { markFile } from '../files/hash-file.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { changeSqlite, convertStore } from '../sqlite/testing/convert-store.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

afterEach(() => setFaultHook(undefined))

/** What goes is in the trash and the journal says so; then the program was stopped, and nothing has gone yet. */
const leaveRemoval = async (path: string, request: MaintenanceInput): Promise<void> => {
  const plan = await makePlan(path, request)
  let commits = 0
  setFaultHook(({ kind, path: at }) => {
    if (commits === 2 && (kind === 'engine-write' || at.includes('/arrays/')))
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
    if (kind === 'rename' && at.endsWith('journal.json')) commits += 1
  })
  await expect(applyPlan(path, plan, { jobId: 'job' })).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await forgetLock(path)
}

test('a row that stays keeps those of its own table, and of one that refers back, to which it refers', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }] })
  const store = join(folder.path, 'store.sqlite')
  const run = 'run_id TEXT REFERENCES runs(run_id)'
  const other = (table: string) => `INTEGER REFERENCES ${table}(id) DEFERRABLE INITIALLY DEFERRED`
  changeSqlite(
    store,
    `BEGIN; CREATE TABLE notes (id INTEGER PRIMARY KEY, ${run}, reply_to INTEGER REFERENCES notes(id), text TEXT);
    INSERT INTO notes VALUES (1, 'run-1', NULL, ''), (2, 'run-1', 1, ''), (3, 'run-1', 2, ''), (4, 'run-1', 1, '');
    CREATE TABLE heads (id INTEGER PRIMARY KEY, ${run}, tail ${other('tails')}, text TEXT);
    CREATE TABLE tails (id INTEGER PRIMARY KEY, ${run}, head ${other('heads')}, text TEXT);
    INSERT INTO heads VALUES (1, 'run-1', NULL, ''), (2, 'run-1', 2, ''), (3, 'run-1', 3, '');
    INSERT INTO tails VALUES (1, 'run-1', 1, ''), (2, 'run-1', 1, ''), (3, 'run-1', 2, ''); COMMIT`,
  )
  await leaveRemoval(folder.path, { kind: 'remove_run', run_id: 'run-1' })
  changeSqlite(store, "UPDATE notes SET text = 'more' WHERE id = 3; UPDATE tails SET text = 'more' WHERE id = 3")
  const { warnings } = await recoverWorkspace(folder.path)
  const staying = (warnings ?? []).map((warning) => /rows of (\w+) stay,.*: (.*)\. The/.exec(warning)?.slice(1).join(': '))
  expect(staying.sort()).toEqual(['heads: 1, 2', 'notes: 1, 2, 3', 'runs: run-1', 'tails: 2, 3'])
  const { tables } = await snapshot(folder.path)
  expect([tables.notes?.length, tables.heads?.length, tables.tails?.length]).toEqual([3, 2, 2])
  expect(await recoverWorkspace(folder.path)).toEqual({ recovered: false })
})

test('a prediction that stays keeps its arrays, also when they are on the list of removed ones', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  const { arrays } = await snapshot(folder.path)
  await ArrayStore.open(folder.path).deleteBatch(new Set(['a', 'b']))
  await leaveRemoval(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
  changeSqlite(join(folder.path, 'store.sqlite'), "UPDATE predictions SET val_score = 0.125 WHERE prediction_id = 'a'")
  expect((await recoverWorkspace(folder.path)).warnings?.[0]).toMatch('These rows of predictions stay')
  const left = ArrayStore.open(folder.path)
  expect(await left.restoreBatch(new Set(['a']))).toBe(1)
  expect((await snapshot(folder.path)).arrays).toEqual({ 'wheat/a': arrays['wheat/a'] })
  expect((await left.stats()).total_rows).toBe(1)
})

test('arrays stay whose prediction is known by then, those of the trash with a word, whatever the list of removed ones says', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2' }] })
  const store = join(folder.path, 'store.sqlite')
  const { arrays } = await snapshot(folder.path)
  changeSqlite(store, "CREATE TABLE others AS SELECT * FROM predictions; DELETE FROM predictions WHERE prediction_id <> 'a'")
  await leaveRemoval(folder.path, { kind: 'clean_dead_links', grace_hours: 0 })
  changeSqlite(store, "INSERT INTO predictions SELECT * FROM others WHERE prediction_id = 'b'")
  expect((await recoverWorkspace(folder.path)).warnings).toEqual([
    'The arrays of these predictions stay, since the store knows them by now: b. The trash holds them as they were.',
  ])
  expect((await snapshot(folder.path)).arrays).toEqual({ 'wheat/a': arrays['wheat/a'], 'wheat/b': arrays['wheat/b'] })
  await leaveRemoval(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
  changeSqlite(
    store,
    "UPDATE others SET prediction_id = 'new' WHERE prediction_id = 'c'; INSERT INTO predictions SELECT * FROM others WHERE prediction_id = 'new'",
  )
  const others = ArrayStore.open(folder.path, { lock: { release: async () => undefined } })
  const described = { model_name: 'PLS', fold_id: '2', partition: 'val', metric: 'rmse', val_score: 0.5, task_type: 'regression' }
  await others.saveBatch([{ ...described, prediction_id: 'new', dataset_name: 'wheat', y_true: [1], y_pred: [1.5] }])
  await others.deleteBatch(new Set(['new']))
  expect(await recoverWorkspace(folder.path)).toMatchObject({ recovered: true, outcome: 'finished' })
  expect(await others.restoreBatch(new Set(['new']))).toBe(1)
  expect((await others.stats()).datasets).toMatchObject([{ name: 'wheat', rows: 1 }])
})

test.each(storeKinds)(
  'a column that a table of a store.%s gets meanwhile keeps only the rows in which it holds something',
  async (kind) => {
    await using folder = await temporaryFolder()
    const corn = { id: 'c', dataset: 'corn' }
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }, corn] })
    await leaveRemoval(folder.path, { kind: 'remove_run', run_id: 'run-1' })
    const columns = ['x DOUBLE DEFAULT 0', "label VARCHAR DEFAULT 'it''s'", 'is_seen BOOLEAN DEFAULT FALSE', 'note VARCHAR']
    const altered = columns.flatMap((column) => ['chains', 'predictions'].map((table) => `ALTER TABLE ${table} ADD COLUMN ${column}`))
    const sql = [...altered, "UPDATE predictions SET note = 'good' WHERE prediction_id = 'b'"].join('; ')
    if (kind === 'sqlite') changeSqlite(join(folder.path, 'store.sqlite'), sql)
    else await changeStore(join(folder.path, 'store.duckdb'), sql)
    await recoverWorkspace(folder.path)
    const { tables } = await snapshot(folder.path)
    expect([tables.predictions?.length, tables.chains?.length, tables.runs?.length]).toEqual([1, 1, 1])
    expect(tables.predictions?.[0]).toContain('good')
  },
)

test('rows of which a trigger tells that they go stay', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }] })
  await leaveRemoval(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  const trigger = 'CREATE TRIGGER gone AFTER DELETE ON predictions BEGIN DELETE FROM notes WHERE about = OLD.prediction_id; END'
  changeSqlite(join(folder.path, 'store.sqlite'), `CREATE TABLE notes (about TEXT); INSERT INTO notes VALUES ('a'); ${trigger}`)
  const before = await snapshot(folder.path)
  expect((await recoverWorkspace(folder.path)).warnings?.[0]).toMatch('These rows of predictions stay')
  expect(await snapshot(folder.path)).toEqual(before)
})

test('rows that have moved to a store.sqlite meanwhile stay, and say why they do not come back from the trash of a store.duckdb', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  await leaveRemoval(folder.path, { kind: 'remove_predictions', prediction_ids: ['a'] })
  await convertStore(folder.path)
  const before = await snapshot(folder.path)
  expect(await recoverWorkspace(folder.path)).toMatchObject({
    outcome: 'finished',
    warnings: ['These rows of predictions stay, since others have changed or use them by now: a. The trash holds them as they were.'],
  })
  expect(await snapshot(folder.path)).toEqual(before)
  const [operation] = (await listTrash(folder.path)).rows
  for (const ids of [undefined, ['a']]) {
    await expect(restoreTrash(folder.path, operation?.operation_id ?? '', { jobId: 'job', ...(ids && { ids }) })).rejects.toMatchObject({
      code: 'restore_conflict',
      message:
        'It cannot be restored: its rows were kept from a store.duckdb, and the workspace has a store.sqlite by now. Nothing was restored.',
    })
  }
})

/** The files of the only operation in the trash. */
const placesIn = async (path: string) => trashPlaces(layoutOf(path), (await listTrash(path)).rows[0]?.operation_id ?? '')

test('a row of a store.sqlite that the trash does not hold stays, and what it belongs to', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  await leaveRemoval(folder.path, { kind: 'remove_run', run_id: 'run-1' })
  const { folder: trash, manifest } = await placesIn(folder.path)
  const rows = join(trash, 'predictions.jsonl')
  const [before, lines] = [await markFile(rows), (await readFile(rows, 'utf8')).split('\n')]
  await writeFile(rows, `${lines.find((line) => line.includes('"a"'))}\n`)
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(before.sha256, (await markFile(rows)).sha256))
  expect((await recoverWorkspace(folder.path)).warnings).toHaveLength(4)
  const { tables, arrays } = await snapshot(folder.path)
  expect([tables.predictions?.length, tables.runs?.length, Object.keys(arrays)]).toEqual([1, 1, ['wheat/b']])
})

test.each(storeKinds)('a damaged trash stops a removal from a store.%s that is carried through before anything goes', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions: [{ id: 'a' }, { id: 'b', fold: '1' }] })
  const before = await snapshot(folder.path)
  await leaveRemoval(folder.path, { kind: 'remove_run', run_id: 'run-1' })
  const { folder: trash } = await placesIn(folder.path)
  for (const file of [kind === 'sqlite' ? 'runs.jsonl' : 'runs.parquet', 'arrays/0.parquet']) {
    for (const change of [rm, (path: string) => writeFile(path, 'other')]) {
      const path = join(trash, file)
      const kept = await readFile(path)
      await change(path)
      await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({ code: 'trash_damaged' })
      await writeFile(path, kept)
    }
  }
  expect(await snapshot(folder.path)).toEqual(before)
  expect(await recoverWorkspace(folder.path)).toEqual({ recovered: true, job_id: 'job', outcome: 'finished' })
})

test('a model that was written over where it is stays, and keeps no removal from being carried through', async () => {
  await using folder = await temporaryFolder()
  const model = (id: string) => `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', 'aa/${id}.joblib', 'h')`
  const names = ['over', 'anew', 'same', 'lost', 'gone']
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: [{ id: 'a' }], extra: names.map(model) })
  const models = join(folder.path, 'artifacts', 'aa')
  await mkdir(models, { recursive: true })
  for (const name of names) await writeFile(join(models, `${name}.joblib`), 'model')
  await leaveRemoval(folder.path, { kind: 'artifact_gc', grace_hours: 0 })
  const { artifacts } = await placesIn(folder.path)
  await rm(join(models, 'anew.joblib'))
  for (const name of ['over', 'anew']) await writeFile(join(models, `${name}.joblib`), 'other')
  // One file with its copy, written over, and then another one by a rename, or none.
  for (const name of ['lost', 'gone']) {
    const [model, copy] = [join(models, `${name}.joblib`), join(artifacts, 'aa', `${name}.joblib`)]
    await rm(copy)
    await link(model, copy)
    await writeFile(model, 'other')
    await rm(model)
  }
  await writeFile(join(models, 'lost.joblib'), 'more')
  const kept = await readFile(join(artifacts, 'aa', 'same.joblib'))
  await rm(join(artifacts, 'aa', 'same.joblib'))
  await expect(recoverWorkspace(folder.path)).rejects.toMatchObject({
    code: 'trash_damaged',
    fields: { path: join(artifacts, 'aa', 'same.joblib'), hint: expect.stringContaining('until then') },
  })
  await writeFile(join(artifacts, 'aa', 'same.joblib'), kept)
  const { warnings } = await recoverWorkspace(folder.path)
  expect(warnings).toEqual(['These models stay, since others have written them by now: aa/anew.joblib, aa/lost.joblib, aa/over.joblib.'])
  expect(await readdir(models)).toEqual(['anew.joblib', 'lost.joblib', 'over.joblib'])
  expect((await snapshot(folder.path)).tables.artifacts).toEqual([])
})
