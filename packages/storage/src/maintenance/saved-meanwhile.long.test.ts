import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { mergeStores } from '../merge/merge-stores.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { vacuumWorkspace } from '../vacuum/vacuum-store.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

afterEach(() => setFaultHook(undefined))

const job = { jobId: 'job' }
const predictions = ['0', '1'].map((fold) => ({ id: `wheat#${fold}`, dataset: 'wheat', fold, score: 1 }))

/** Lets another program work once, at the first of these operations after the removal cannot be taken back any more. */
const onceCommitted = (isPlace: (operation: DiskOperation) => boolean, work: () => Promise<unknown>): void => {
  let commits = 0
  setFaultHook(async (operation) => {
    if (commits === 2 && isPlace(operation)) {
      commits = 3
      await work()
    }
    if (operation.kind === 'rename' && operation.path.endsWith('journal.json')) commits += 1
  })
}

test.each(storeKinds)('arrays that somebody saves while their dataset is removed from a store.%s stay', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions })
  const plan = await makePlan(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
  const others = ArrayStore.open(folder.path, { lock: { release: async () => undefined } })
  const row = { prediction_id: 'new', dataset_name: 'wheat', y_true: [1, 2], y_pred: [1.5, 2.5] }
  const described = { model_name: 'PLS', fold_id: '0', partition: 'val', metric: 'rmse', val_score: 0.5, task_type: 'regression' }
  onceCommitted(
    () => true,
    () => others.saveBatch([{ ...row, ...described }]),
  )
  await applyPlan(folder.path, plan, job)
  expect(await others.loadSingle('new')).toMatchObject({ prediction_id: 'new' })
  expect((await others.stats()).datasets).toMatchObject([{ name: 'wheat', rows: 1 }])
})

test('a model that somebody saves again while its removal goes on stays', async () => {
  await using folder = await temporaryFolder()
  const model = (id: string) => `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', 'aa/unused.joblib', 'h')`
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions, extra: [model('unused')] })
  await mkdir(join(folder.path, 'artifacts', 'aa'), { recursive: true })
  await writeFile(join(folder.path, 'artifacts', 'aa', 'unused.joblib'), 'model')
  const plan = await makePlan(folder.path, { kind: 'artifact_gc', grace_hours: 0 })
  const store = join(folder.path, 'store.duckdb')
  onceCommitted(
    ({ kind, path }) => kind === 'fsync' && path === store,
    () => changeStore(store, model('again')),
  )
  expect((await applyPlan(folder.path, plan, job)).counts).toMatchObject({ artifacts: 1 })
  expect(existsSync(join(folder.path, 'artifacts', 'aa', 'unused.joblib'))).toBe(true)
})

const fail = () => {
  throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
}

/** Everything of a run is in the trash and the journal says so; then the program was stopped, and nothing has gone yet. */
const leaveRemoval = async (path: string): Promise<void> => {
  const plan = await makePlan(path, { kind: 'remove_run', run_id: 'run-1' })
  let commits = 0
  setFaultHook(({ kind, path: at }) => {
    if (commits === 2 && kind === 'engine-write') fail()
    if (kind === 'rename' && at.endsWith('journal.json')) commits += 1
  })
  await expect(applyPlan(path, plan, job)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  await forgetLock(path)
}

test.each(storeKinds)('what others change or use before a removal from a store.%s is carried through stays, and is said', async (kind) => {
  await using folder = await temporaryFolder()
  const extra = ["UPDATE chains SET cv_val_score = 1.5, cv_fold_count = 2 WHERE chain_id = 'c-wheat'"]
  const corn = { id: 'corn#0', dataset: 'corn' }
  await makeWorkspace(folder.path, { kind, predictions: [...predictions.map((one) => ({ ...one, score: 1.5 })), corn], extra })
  await leaveRemoval(folder.path)
  const sql = `UPDATE predictions SET val_score = 0.125 WHERE prediction_id = 'wheat#0';
    INSERT INTO pipelines (pipeline_id, run_id, name, dataset_name) VALUES ('p-new', 'run-1', 'new', 'corn')`
  if (kind === 'sqlite') changeSqlite(join(folder.path, 'store.sqlite'), sql)
  else await changeStore(join(folder.path, 'store.duckdb'), sql)
  const changed = await snapshot(folder.path)
  const recovery = await recoverWorkspace(folder.path)
  expect(recovery).toMatchObject({ recovered: true, outcome: 'finished' })
  const staying = Object.entries({ predictions: 'wheat#0', chains: 'c-wheat', pipelines: 'p-wheat', runs: 'run-1' })
  expect(recovery.warnings).toEqual(
    staying.map(
      ([table, id]) =>
        `These rows of ${table} stay, since others have changed or use them by now: ${id}. The trash holds them as they were.`,
    ),
  )
  const left = await snapshot(folder.path)
  const rowsWith = (table: string, id: string) => changed.tables[table]?.filter((row) => row.includes(`"${id}"`))
  expect(left.tables.predictions).toEqual(rowsWith('predictions', 'wheat#0'))
  expect(left.tables.runs).toEqual(changed.tables.runs)
  expect(left.tables.pipelines).toHaveLength(2)
  expect(left.tables.chains?.join()).toMatch(/cv_val_score\W+(real\W+|number\W+)?0\.125/)
  expect(Object.keys(left.arrays)).toEqual(['wheat/wheat#0'])
  expect(await recoverWorkspace(folder.path)).toEqual({ recovered: false })
  const operation = (await listTrash(folder.path)).rows[0]?.operation_id ?? ''
  await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject({ code: 'restore_conflict' })
  await restoreTrash(folder.path, operation, { ...job, ids: ['wheat#1', 'corn#0'] })
  const { tables, arrays } = await snapshot(folder.path)
  expect({ arrays, tables: { ...tables, chains: [] } }).toEqual({ arrays: changed.arrays, tables: { ...changed.tables, chains: [] } })
  expect(tables.chains).toHaveLength(2)
})

test('what a removal that died leaves to others is said by the job that carries it through, in its result, or by the process where that has no place for it', async () => {
  await using folder = await temporaryFolder()
  const stays = ['predictions: wheat#0', 'chains: c-wheat', 'pipelines: p-wheat', 'runs: run-1'].map((text) => {
    const [table = '', id = ''] = text.split(': ')
    return `These rows of ${table} stay, since others have changed or use them by now: ${id}. The trash holds them as they were.`
  })
  const leave = async (name: string) => {
    const path = join(folder.path, name)
    await mkdir(path)
    await makeWorkspace(path, { kind: 'duckdb', predictions })
    const earlier = await makePlan(path, { kind: 'remove_predictions', prediction_ids: ['wheat#1'] })
    const { operation_id } = await applyPlan(path, earlier, { jobId: 'earlier' })
    await leaveRemoval(path)
    await changeStore(join(path, 'store.duckdb'), "UPDATE predictions SET val_score = 0.125 WHERE prediction_id = 'wheat#0'")
    return { path, operation: operation_id ?? '' }
  }
  const restored = await leave('restored')
  expect((await restoreTrash(restored.path, restored.operation, job)).warnings).toEqual(stays)
  const removed = await leave('removed')
  const plan = await makePlan(removed.path, { kind: 'remove_predictions', prediction_ids: ['wheat#0'] })
  expect((await applyPlan(removed.path, plan, job)).warnings).toEqual([...plan.warnings, ...stays])
  const merged = await leave('merged')
  const source = join(folder.path, 'source')
  await mkdir(source)
  await makeWorkspace(source, { kind: 'duckdb', predictions: [{ id: 'corn#0', dataset: 'corn' }] })
  const options = { jobId: 'merge', cacheFolder: join(folder.path, 'cache') }
  expect((await mergeStores(merged.path, [source], options)).warnings).toEqual(stays)
  const told: string[] = []
  const listen = ({ message }: Error) => told.push(message)
  process.on('warning', listen)
  try {
    const vacuumed = await leave('vacuumed')
    await vacuumWorkspace(vacuumed.path)
    const saved = await leave('saved')
    await (await WorkspaceStore.open(saved.path)).close()
    const appended = await leave('appended')
    await ArrayStore.open(appended.path).deleteBatch(new Set(['nobody']))
    const failed = await leave('failed')
    await expect(restoreTrash(failed.path, failed.operation, { ...job, ids: ['nobody'] })).rejects.toMatchObject({
      code: 'trash_not_found',
    })
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('warning', listen)
  }
  expect(told).toEqual([...stays, ...stays, ...stays, ...stays])
})
