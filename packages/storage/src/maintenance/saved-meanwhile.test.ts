import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, storeKinds } from './testing/maintenance-fixture.ts'

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
