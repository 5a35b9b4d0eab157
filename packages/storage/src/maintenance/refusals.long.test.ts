import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { attachWritable, detach } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { setFaultHook } from '../files/fault-point.ts'
import { acquireWorkspaceLock, readLockHolder } from '../files/workspace-lock.ts'
import { readInterruption } from '../migration/read-interruption.ts'
import { recoverWorkspace } from '../migration/recover-workspace.ts'
import { naturalKeyIndex, storeTables } from '../migration/store-schema.ts'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { faultHook } from '../testing/fault-hooks.ts'
import { forgetLock } from '../testing/fault-oracle.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { changeStore } from '../testing/tamper.ts'
import { checkRestore } from '../trash/check-restore.ts'
import { emptyTrash } from '../trash/empty-trash.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, type StoreKind, saveArrays, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const predictions = [{ id: 'a' }, { id: 'b', fold: '1' }, { id: 'c', fold: '2' }]
const removeA: MaintenanceInput = { kind: 'remove_predictions', prediction_ids: ['a'] }

test('any change of the store or of arrays/ makes a plan stale, also where it would remove the same', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const first = await makePlan(folder.path, removeA)
  await withEngine({}, async (engine) => {
    await attachWritable(engine, join(folder.path, 'store.duckdb'), 'other')
    await engine.run("UPDATE other.predictions SET val_score = 7 WHERE prediction_id = 'c'")
    await detach(engine, 'other')
  })
  await expect(applyPlan(folder.path, first, job)).rejects.toMatchObject({ code: 'plan_stale' })
  const second = await makePlan(folder.path, removeA)
  await saveArrays(folder.path, [{ id: 'd', dataset: 'corn' }])
  await expect(applyPlan(folder.path, second, job)).rejects.toMatchObject({ code: 'plan_stale' })
  expect((await listTrash(folder.path)).total).toBe(0)
})

test('while another job holds the workspace nothing is applied, restored or emptied', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, removeA), job)
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
  const before = await snapshot(folder.path)
  const lock = await acquireWorkspaceLock(folder.path, { jobId: 'other', kind: 'migrate' })
  for (const work of [
    () => applyPlan(folder.path, plan, job),
    () => restoreTrash(folder.path, operation_id ?? '', job),
    () => emptyTrash(folder.path, job),
  ]) {
    await expect(work()).rejects.toMatchObject({ code: 'workspace_busy' })
  }
  await lock.release()
  expect(await snapshot(folder.path)).toEqual(before)
})

/** A workspace whose removal of `a` died when its journal said commit. */
const leaveRemoval = async (root: string) => {
  await makeWorkspace(root, { kind: 'duckdb', predictions })
  const plan = await makePlan(root, removeA)
  const { hook, operations } = faultHook('count', 0)
  // From the moment that the journal says commit, nothing reaches the disk any more.
  let commits = 0
  setFaultHook(async (operation) => {
    await hook(operation)
    if (operation.kind === 'rename' && operation.path.endsWith('journal.json')) commits += 1
    if (commits >= 2 && operation.kind === 'engine-write') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(applyPlan(root, plan, job)).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  expect(operations.length).toBeGreaterThan(20)
  await forgetLock(root)
  expect(await readInterruption(root)).toMatchObject({ kind: 'remove', phase: 'commit', job_id: 'job' })
  expect((await snapshot(root)).tables.predictions).toHaveLength(3)
}

test('readers are told of a removal that died; the next job carries it through before its own', async () => {
  await using folder = await temporaryFolder()
  await leaveRemoval(folder.path)
  const next = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
  await expect(applyPlan(folder.path, next, job)).rejects.toMatchObject({ code: 'plan_stale' })
  expect((await snapshot(folder.path)).tables.predictions).toHaveLength(2)
  expect(await readInterruption(folder.path)).toBeNull()
})

test('arrays that are saved without a job are saved after a removal that died was carried through, and stay', async () => {
  await using folder = await temporaryFolder()
  await leaveRemoval(folder.path)
  await saveArrays(folder.path, [{ id: 'a', fold: '7' }])
  expect(await readInterruption(folder.path)).toBeNull()
  expect((await snapshot(folder.path)).tables.predictions).toHaveLength(2)
  expect(await recoverWorkspace(folder.path)).toEqual({ recovered: false })
  expect(await ArrayStore.open(folder.path).loadSingle('a')).not.toBeNull()
})

test('arrays are not changed while what a job left cannot be put in order; the workspace is given back', async () => {
  await using folder = await temporaryFolder()
  await leaveRemoval(folder.path)
  const saved = await hashTree(join(folder.path, 'arrays'))
  setFaultHook(({ kind }) => {
    if (kind === 'engine-write') throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  })
  await expect(saveArrays(folder.path, [{ id: 'd' }])).rejects.toMatchObject({ code: 'write_failed' })
  setFaultHook(undefined)
  expect(await hashTree(join(folder.path, 'arrays'))).toEqual(saved)
  expect(await readLockHolder(folder.path)).toBeNull()
  await saveArrays(folder.path, [{ id: 'd' }])
  expect(await readInterruption(folder.path)).toBeNull()
})

test('a compaction that was changed on its way is refused; a row that the metadata knows stays, whatever was marked as removed', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const before = await snapshot(folder.path)
  await saveArrays(folder.path, [{ id: 'unknown', fold: '3' }])
  await ArrayStore.open(folder.path).deleteBatch(new Set(['a', 'unknown']))
  const plan = await makePlan(folder.path, { kind: 'compact' })
  await expect(applyPlan(folder.path, { ...plan, digest: '0'.repeat(plan.digest.length) }, job)).rejects.toMatchObject({
    code: 'plan_stale',
  })
  await applyPlan(folder.path, plan, job)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a job that is cancelled before its commit leaves everything as it was', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions })
  const before = await snapshot(folder.path)
  const plan = await makePlan(folder.path, removeA)
  const stop = new AbortController()
  const onProgress = ({ phase }: { phase: string }) => {
    if (phase === 'stage') stop.abort()
  }
  await expect(applyPlan(folder.path, plan, { ...job, signal: stop.signal, onProgress })).rejects.toMatchObject({ code: 'cancelled' })
  expect(await readInterruption(folder.path)).toBeNull()
  expect(await snapshot(folder.path)).toEqual(before)
  expect((await listTrash(folder.path)).total).toBe(0)
})

test.each(storeKinds)('a damaged list of removals stops every removal and restore before anything is changed: store.%s', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind, predictions })
  const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, removeA), job)
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
  await writeFile(join(folder.path, 'arrays', '_tombstones.json'), '{"x')
  const before = await snapshot(folder.path)
  const inputs: MaintenanceInput[] = [
    { kind: 'remove_run', run_id: 'run-1' },
    { kind: 'remove_pipeline', pipeline_id: 'p-wheat' },
    { kind: 'remove_chain', chain_id: 'c-wheat' },
    { kind: 'remove_dataset', dataset_name: 'wheat' },
    { kind: 'remove_predictions', prediction_ids: ['b'] },
    { kind: 'remove_bottom', fraction: 0.5 },
    { kind: 'clean_dead_links' },
    { kind: 'compact' },
  ]
  const corrupt = { code: 'tombstones_corrupt' }
  for (const input of inputs) await expect(makePlan(folder.path, input), input.kind).rejects.toMatchObject(corrupt)
  await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject(corrupt)
  await expect(checkRestore(folder.path, operation_id ?? '')).rejects.toMatchObject(corrupt)
  await expect(restoreTrash(folder.path, operation_id ?? '', job)).rejects.toMatchObject(corrupt)
  expect(await snapshot(folder.path)).toEqual(before)
  expect(await readInterruption(folder.path)).toBeNull()
  expect((await makePlan(folder.path, { kind: 'artifact_gc' })).items_total).toBe(0)
})

test.each(storeKinds)('what is in a file that cannot be read stops every removal that needs it, and no other: store.%s', async (kind) => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, {
    kind,
    predictions: [...predictions, { id: 'd', dataset: 'corn' }, { id: 'e', dataset: 'corn', fold: '1' }],
  })
  const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
  const path = join(folder.path, 'arrays', 'wheat.parquet')
  await truncate(path, 300)
  const [before, arrays] = [await hashTree(folder.path), await hashTree(join(folder.path, 'arrays'))]
  const inputs: MaintenanceInput[] = [
    { kind: 'remove_run', run_id: 'run-1' },
    { kind: 'remove_pipeline', pipeline_id: 'p-wheat' },
    { kind: 'remove_chain', chain_id: 'c-wheat' },
    { kind: 'remove_dataset', dataset_name: 'wheat' },
    { kind: 'remove_predictions', prediction_ids: ['b'] },
    { kind: 'remove_bottom', fraction: 0.5 },
  ]
  const corrupt = { code: 'arrays_corrupt', message: expect.stringContaining('arrays/wheat.parquet cannot be read') }
  for (const input of inputs) await expect(makePlan(folder.path, input), input.kind).rejects.toMatchObject(corrupt)
  expect(await hashTree(folder.path)).toBe(before)
  await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject({ code: 'plan_stale' })
  const resolved = await resolveWorkspace(folder.path)
  const forged = { ...plan, fingerprint: await fingerprintWorkspace(resolved) }
  await expect(applyPlan(folder.path, forged, job)).rejects.toMatchObject(corrupt)
  expect([(await listTrash(folder.path)).total, await readInterruption(folder.path), await hashTree(join(folder.path, 'arrays'))]).toEqual([
    0,
    null,
    arrays,
  ])
  const applied = await applyPlan(
    folder.path,
    await makePlan(folder.path, { kind: 'remove_bottom', fraction: 0.5, dataset_name: 'corn' }),
    job,
  )
  expect(applied.counts).toMatchObject({ predictions: 1, arrays: 1 })
})

test.each(storeKinds)(
  'a prediction whose place another has taken does not come back beside it in a store.%s; two that shared one do',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [...predictions, { id: 'd', fold: '3' }] })
    const change = async (sql: string) =>
      kind === 'sqlite' ? changeSqlite(join(folder.path, 'store.sqlite'), sql) : changeStore(join(folder.path, 'store.duckdb'), sql)
    const remove = async (id: string) => {
      const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: [id] })
      return (await applyPlan(folder.path, plan, job)).operation_id ?? ''
    }
    await change("UPDATE predictions SET fold_id = '1', branch_id = NULL WHERE prediction_id IN ('b', 'd')")
    const before = await snapshot(folder.path)
    const [shared, alone] = [await remove('d'), await remove('a')]
    await change("UPDATE predictions SET fold_id = '0' WHERE prediction_id = 'c'")
    const taken = {
      code: 'restore_conflict',
      fields: { ids: ['a'] },
      message: expect.stringContaining('in the place of 1 prediction (a).'),
    }
    await expect(checkRestore(folder.path, alone)).rejects.toMatchObject(taken)
    await expect(restoreTrash(folder.path, alone, job)).rejects.toMatchObject(taken)
    await change("UPDATE predictions SET fold_id = '2' WHERE prediction_id = 'c'")
    await restoreTrash(folder.path, alone, job)
    await restoreTrash(folder.path, shared, job)
    expect(await snapshot(folder.path)).toEqual(before)
  },
)

test.each(storeKinds)(
  'of two predictions that shared a place only one comes back to a store.%s that has got the unique index since; preview and restore agree',
  async (kind) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions })
    await change(folder.path, kind, 'DROP INDEX IF EXISTS idx_predictions_natural_key_v2')
    await change(folder.path, kind, "UPDATE predictions SET fold_id = '0', branch_id = 0 WHERE prediction_id IN ('a', 'b')")
    const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['a', 'b'] })
    const operation = (await applyPlan(folder.path, plan, job)).operation_id ?? ''
    await change(folder.path, kind, naturalKeyIndex)
    const refused = { code: 'restore_conflict', fields: { ids: ['a', 'b'], hint: 'Restore one of them by its id.' } }
    await expect(checkRestore(folder.path, operation)).rejects.toMatchObject(refused)
    await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject(refused)
    await checkRestore(folder.path, operation, ['b'])
    await restoreTrash(folder.path, operation, { ...job, ids: ['b'] })
    const second = { code: 'restore_conflict', fields: { ids: ['b', 'a'], hint: expect.stringContaining('Remove b first') } }
    await expect(checkRestore(folder.path, operation)).rejects.toMatchObject(second)
    await expect(restoreTrash(folder.path, operation, job)).rejects.toMatchObject(second)
  },
)

test('a prediction that has been saved again keeps its score and its arrays: nothing comes back over it, and the trash keeps what it has', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
  const { operation_id } = await applyPlan(folder.path, await makePlan(folder.path, removeA), job)
  const again = "SELECT * REPLACE ('a' AS prediction_id, 7 AS val_score) FROM predictions WHERE prediction_id = 'b'"
  await changeStore(join(folder.path, 'store.duckdb'), `INSERT INTO predictions ${again}`)
  await saveArrays(folder.path, [{ id: 'a', score: 7, y: [7, 8, 9] }])
  const before = await snapshot(folder.path)
  const taken = { code: 'restore_conflict', fields: { ids: ['a'] }, message: expect.stringContaining('1 prediction is there again (a).') }
  await expect(checkRestore(folder.path, operation_id ?? '')).rejects.toMatchObject(taken)
  await expect(restoreTrash(folder.path, operation_id ?? '', job)).rejects.toMatchObject(taken)
  expect(await snapshot(folder.path)).toEqual(before)
  expect((await listTrash(folder.path)).rows).toMatchObject([{ operation_id, partly_restored: false }])
})

const change = async (path: string, kind: StoreKind, sql: string) =>
  kind === 'sqlite' ? changeSqlite(join(path, 'store.sqlite'), sql) : changeStore(join(path, 'store.duckdb'), sql)

/** The same tables without foreign keys. */
const loosened = (['logs', 'predictions', 'chains', 'pipelines'] as const)
  .map((table) => {
    const columns = storeTables[table].replaceAll(/ REFERENCES \w+\(\w+\)/g, '')
    return `CREATE TABLE loose (${columns}); INSERT INTO loose SELECT * FROM ${table}; DROP TABLE ${table}; ALTER TABLE loose RENAME TO ${table}`
  })
  .join('; ')

describe.each(storeKinds.flatMap((kind) => [true, false].map((isStrict) => ({ kind, isStrict, keys: isStrict ? 'with' : 'without' }))))(
  'in a store.$kind $keys foreign keys',
  ({ kind, isStrict }) => {
    const makeOne = async (path: string) => {
      await makeWorkspace(path, { kind, predictions })
      if (!isStrict) await change(path, kind, loosened)
    }
    const remove = async (path: string, input: MaintenanceInput) =>
      (await applyPlan(path, await makePlan(path, input), job)).operation_id ?? ''

    test('rows do not come back without what they belong to, whole or by item; preview and restore say what to restore first', async () => {
      await using folder = await temporaryFolder()
      await makeOne(folder.path)
      const all = await snapshot(folder.path)
      const first = await remove(folder.path, removeA)
      const chain = await remove(folder.path, { kind: 'remove_chain', chain_id: 'c-wheat' })
      const run = await remove(folder.path, { kind: 'remove_run', run_id: 'run-1' })
      const before = await hashTree(folder.path)
      const refused = {
        code: 'restore_conflict',
        message: expect.stringContaining('pipeline p-wheat and chain c-wheat, to which 1 row belongs'),
        fields: { ids: ['a'], hint: expect.stringContaining(`Restore ${run}, then ${chain} first`) },
      }
      for (const ids of [undefined, ['a']]) await expect(checkRestore(folder.path, first, ids)).rejects.toMatchObject(refused)
      expect(await hashTree(folder.path)).toBe(before)
      const [left, trash] = [await snapshot(folder.path), await listTrash(folder.path)]
      for (const ids of [undefined, ['a']]) {
        await expect(restoreTrash(folder.path, first, { ...job, ids })).rejects.toMatchObject(refused)
      }
      expect([await snapshot(folder.path), await listTrash(folder.path)]).toEqual([left, trash])
      for (const operation of [run, chain, first]) {
        await checkRestore(folder.path, operation)
        await restoreTrash(folder.path, operation, job)
      }
      expect(await snapshot(folder.path)).toEqual(all)
    })

    test('what was given up for good is said to be nowhere; rows that had lost it before come back as the store takes them', async () => {
      await using folder = await temporaryFolder()
      await makeOne(folder.path)
      if (!isStrict) await change(folder.path, kind, "UPDATE predictions SET chain_id = 'nowhere' WHERE prediction_id IN ('b', 'c')")
      const all = await snapshot(folder.path)
      const lost = await remove(folder.path, { kind: 'remove_predictions', prediction_ids: ['b'] })
      if (!isStrict) {
        await checkRestore(folder.path, lost)
        await restoreTrash(folder.path, lost, job)
        expect(await snapshot(folder.path)).toEqual(all)
      }
      const first = await remove(folder.path, removeA)
      await emptyTrash(folder.path, { ...job, operation: await remove(folder.path, { kind: 'remove_run', run_id: 'run-1' }) })
      const refused = { code: 'restore_conflict', fields: { hint: expect.stringContaining('no operation of the trash') } }
      await expect(checkRestore(folder.path, first)).rejects.toMatchObject(refused)
      await expect(restoreTrash(folder.path, first, job)).rejects.toMatchObject(refused)
    })
  },
)

test.each(storeKinds)('a run whose project is gone comes back to a store.%s without one, and preview and report say so', async (kind) => {
  await using folder = await temporaryFolder()
  const extra = [
    "INSERT INTO projects (project_id, name) VALUES ('gone', 'Grain'), ('kept', 'Milk')",
    "INSERT INTO runs (run_id, name, project_id) VALUES ('of-gone', 'Noon', 'gone'), ('of-kept', 'Night', 'kept'), ('of-none', 'Dusk', NULL)",
    "UPDATE runs SET project_id = 'gone' WHERE run_id = 'run-1'",
  ]
  await makeWorkspace(folder.path, { kind, predictions, extra })
  const before = await snapshot(folder.path)
  const operations: string[] = []
  for (const run_id of ['run-1', 'of-gone', 'of-kept', 'of-none']) {
    operations.push((await applyPlan(folder.path, await makePlan(folder.path, { kind: 'remove_run', run_id }), job)).operation_id ?? '')
  }
  expect(await checkRestore(folder.path, operations[0] ?? '')).toMatchObject({ counts: { runs: 1, predictions: 3 }, warnings: [] })
  await change(folder.path, kind, "DELETE FROM projects WHERE project_id = 'gone'")
  const warnings: string[][] = []
  for (const [index, operation] of operations.entries()) {
    const preview = await checkRestore(folder.path, operation)
    const restored = await restoreTrash(folder.path, operation, { ...job, ids: index === 0 ? ['a'] : undefined })
    expect(restored.warnings).toEqual(preview.warnings)
    warnings.push(restored.warnings)
  }
  expect(warnings).toEqual([
    [expect.stringMatching(/^The project of run run-1 is not there any more \(gone\)/)],
    [expect.stringMatching(/^The project of run of-gone /)],
    [],
    [],
  ])
  const runs = before.tables.runs?.map((row) =>
    row.replace('"project_id":"gone"', '"project_id":null').replace('["project_id","string","gone"]', '["project_id","object","null"]'),
  )
  expect((await snapshot(folder.path)).tables.runs).toEqual(runs?.sort())
})
