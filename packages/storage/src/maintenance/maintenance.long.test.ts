import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { arrayFileName } from '../arrays/file-name.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { type MadePrediction, makeStore, temporaryFolder } from '../testing/make-store.ts'
import { checkRestore } from '../trash/check-restore.ts'
import { emptyTrash } from '../trash/empty-trash.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { ageArrays, makeWorkspace, saveArrays, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const apply = async (path: string, request: MaintenanceInput) => applyPlan(path, await makePlan(path, request), job)
const restore = (path: string, operation: string | null, ids?: readonly string[]) => restoreTrash(path, operation ?? '', { ...job, ids })

const hostile = [
  'wheat',
  'soil pH',
  'soil_pH',
  '../../etc',
  "o'brien; DROP TABLE runs",
  '__proto__',
  'a%b',
  '\u{1f33e} blé',
  'x'.repeat(300),
]
const some = (datasets: readonly string[], each: number): MadePrediction[] =>
  datasets.flatMap((dataset) =>
    Array.from({ length: each }, (_, index) => ({
      id: `${dataset.slice(0, 40)}#${index}`,
      dataset,
      fold: String(index),
      score: index + 1,
    })),
  )

describe.each(storeKinds)('in a store.%s', (kind) => {
  test('test_remove_predictions: exactly the previewed ones go, and come back as they were', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(hostile, 3) })
    const before = await snapshot(folder.path)
    const ids = hostile.map((name) => `${name.slice(0, 40)}#1`)
    const unchanged = await hashTree(folder.path)
    const plan = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ids })
    expect(await hashTree(folder.path)).toBe(unchanged)
    expect(plan).toMatchObject({ counts: { predictions: ids.length, arrays: ids.length, chains: 0 }, items_total: 2 * ids.length })
    const applied = await applyPlan(folder.path, plan, job)
    const after = await snapshot(folder.path)
    expect(after.tables.predictions).toHaveLength(hostile.length * 2)
    expect(Object.keys(before.arrays).filter((id) => !(id in after.arrays))).toHaveLength(ids.length)
    expect((await listTrash(folder.path)).rows).toMatchObject([{ operation_id: applied.operation_id, kind: 'remove_predictions' }])
    expect(await restore(folder.path, applied.operation_id)).toMatchObject({ remaining: false, counts: { predictions: ids.length } })
    expect(await snapshot(folder.path)).toEqual(before)
    expect(existsSync(join(folder.path, '.nirs-workspace'))).toBe(false)
  })

  test('test_remove_dataset_deletes_parquet: its file is gone, a dataset in the same file is not', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(hostile.slice(0, 4), 2) })
    const before = await snapshot(folder.path)
    const wheat = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'wheat' })
    expect(wheat.report).toEqual({ predictions_removed: 2, parquet_deleted: true })
    expect(existsSync(join(folder.path, 'arrays', 'wheat.parquet'))).toBe(false)
    const shared = await apply(folder.path, { kind: 'remove_dataset', dataset_name: 'soil pH' })
    expect(shared.report).toEqual({ predictions_removed: 2, parquet_deleted: false })
    expect(existsSync(join(folder.path, 'arrays', arrayFileName('soil_pH')))).toBe(true)
    const last = await makePlan(folder.path, { kind: 'remove_dataset', dataset_name: 'soil_pH' })
    expect(last.report).toEqual({ predictions_removed: 2, parquet_deleted: true })
    const left = await snapshot(folder.path)
    expect(Object.keys(left.arrays)).toEqual(Object.keys(before.arrays).filter((id) => !/^(wheat|soil pH)\//.test(id)))
    await restore(folder.path, shared.operation_id)
    await restore(folder.path, wheat.operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
    for (const dataset_name of hostile.slice(0, 4)) await apply(folder.path, { kind: 'remove_dataset', dataset_name })
    const { tables, arrays } = await snapshot(folder.path)
    expect([arrays, tables.predictions, tables.runs]).toEqual([{}, [], []])
    for (const { operation_id } of (await listTrash(folder.path)).rows) await restore(folder.path, operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('test_remove_run: pipelines, chains, logs and predictions go with it, whatever refers to them', async () => {
    await using folder = await temporaryFolder()
    const extra = ["INSERT INTO logs (log_id, pipeline_id, step_idx, event) VALUES ('l', 'p-wheat', 1, 'fit\u2028line')"]
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat', 'corn'], 4), extra })
    const before = await snapshot(folder.path)
    const run = await apply(folder.path, { kind: 'remove_run', run_id: 'run-1' })
    expect(run).toMatchObject({
      report: { runs_removed: 1, predictions_removed: 8, arrays_removed: 8 },
      counts: { pipelines: 2, chains: 2, logs: 1 },
    })
    expect((await snapshot(folder.path)).arrays).toEqual({})
    await restore(folder.path, run.operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
    const pipeline = await apply(folder.path, { kind: 'remove_pipeline', pipeline_id: 'p-corn' })
    const chain = await apply(folder.path, { kind: 'remove_chain', chain_id: 'c-wheat' })
    await restore(folder.path, chain.operation_id)
    await restore(folder.path, pipeline.operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('single items come back with what they refer to; the rest stays in the trash', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat', 'corn'], 4) })
    const before = await snapshot(folder.path)
    const { operation_id } = await apply(folder.path, { kind: 'remove_run', run_id: 'run-1' })
    const counts = { runs: 1, pipelines: 1, chains: 1, predictions: 1, arrays: 1 }
    expect(await checkRestore(folder.path, operation_id ?? '', ['wheat#2'])).toMatchObject({ counts })
    expect(await restore(folder.path, operation_id, ['wheat#2'])).toMatchObject({ remaining: true, counts })
    // What has come back does not come back again.
    expect(await checkRestore(folder.path, operation_id ?? '')).toMatchObject({ counts: { runs: 0, predictions: 7, arrays: 7 } })
    expect(Object.keys((await snapshot(folder.path)).arrays)).toEqual(['wheat/wheat#2'])
    expect((await listTrash(folder.path)).rows).toMatchObject([{ partly_restored: true }])
    await expect(restore(folder.path, operation_id, ['wheat#2'])).rejects.toMatchObject({ code: 'trash_not_found' })
    expect(await restore(folder.path, operation_id, ['c-corn'])).toMatchObject({ counts: { predictions: 4, chains: 1 }, remaining: true })
    expect(await restore(folder.path, operation_id)).toMatchObject({ remaining: false })
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('test_clean_dead_links: lost arrays and arrays of nobody go; what never had any, is young or cannot be told stays', async () => {
    await using folder = await temporaryFolder()
    const predictions = [
      { id: 'whole' },
      { id: 'lost', y: null },
      { id: 'never', y: null },
      { id: 'young', y: null },
      { id: 'unknown', dataset: 'damaged', y: null },
    ]
    const extra = [
      "UPDATE predictions SET n_samples = NULL WHERE prediction_id = 'never'",
      "UPDATE predictions SET created_at = now() WHERE prediction_id = 'young'",
    ]
    await makeWorkspace(folder.path, { kind, predictions, extra })
    await saveArrays(folder.path, [{ id: 'orphan' }])
    await writeFile(join(folder.path, 'arrays', 'damaged.parquet'), 'PAR1 is not enough PAR1')
    await ageArrays(folder.path)
    const unread = await makePlan(folder.path, { kind: 'clean_dead_links' })
    expect(unread.report).toMatchObject({ metadata_orphans_removed: 1, array_orphans_removed: 0, never_had_arrays: 1, too_young: 1 })
    expect(unread.report).toMatchObject({ refused: [{ dataset_name: 'damaged', file: 'arrays/damaged.parquet' }] })
    expect(unread.items.map(({ what, id }) => `${what} ${id}`)).toEqual(['row lost'])
    expect((await makePlan(folder.path, { kind: 'clean_dead_links', include_never_saved: true })).report).toMatchObject({
      metadata_orphans_removed: 2,
    })
    await rename(join(folder.path, 'arrays', 'damaged.parquet'), join(folder.path, 'damaged'))
    const plan = await makePlan(folder.path, { kind: 'clean_dead_links' })
    expect(plan.items.map(({ what, id }) => `${what} ${id}`)).toEqual(['row lost', 'row unknown', 'arrays orphan'])
    const young = new Date()
    await utimes(join(folder.path, 'arrays', 'wheat.parquet'), young, young)
    expect((await makePlan(folder.path, { kind: 'clean_dead_links' })).report).toMatchObject({ array_orphans_removed: 0, too_young: 2 })
    await expect(applyPlan(folder.path, plan, job)).rejects.toMatchObject({ code: 'plan_stale' })
    await ageArrays(folder.path)
    expect(await apply(folder.path, { kind: 'clean_dead_links' })).toMatchObject({ counts: { predictions: 2, arrays: 1 } })
    await writeFile(join(folder.path, 'arrays', 'someone.parquet'), 'whose is this')
    const left = await makePlan(folder.path, { kind: 'clean_dead_links', include_never_saved: true, grace_hours: 0 })
    expect(left.report).toMatchObject({ metadata_orphans_removed: 0, refused: [{ dataset_name: 'wheat' }] })
  })

  test('test_clean_dead_links: applied and taken back', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [{ id: 'whole' }, { id: 'lost', y: null }] })
    await saveArrays(folder.path, [{ id: 'orphan' }])
    const before = await snapshot(folder.path)
    const { operation_id } = await apply(folder.path, { kind: 'clean_dead_links' })
    expect(Object.keys((await snapshot(folder.path)).arrays)).toEqual(['wheat/whole'])
    expect((await makePlan(folder.path, { kind: 'clean_dead_links', grace_hours: 0 })).items_total).toBe(0)
    await restore(folder.path, operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('test_remove_bottom: of 100 predictions the worst 20 go and 80 remain', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 100) })
    const { report, operation_id } = await apply(folder.path, { kind: 'remove_bottom', fraction: 0.2 })
    expect(report).toMatchObject({
      removed: 20,
      remaining: 80,
      threshold_score: 81,
      groups: [{ best: { prediction_id: 'wheat#0', score: 1 } }],
    })
    const { arrays } = await snapshot(folder.path)
    expect(Object.keys(arrays)).toHaveLength(80)
    expect(arrays).not.toHaveProperty(['wheat/wheat#99'])
    await restore(folder.path, operation_id)
    expect(Object.keys((await snapshot(folder.path)).arrays)).toHaveLength(100)
  })

  test('a plan of another state is refused, and nothing is changed', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 5) })
    const first = await makePlan(folder.path, { kind: 'remove_predictions', prediction_ids: ['wheat#0'] })
    const second = await makePlan(folder.path, { kind: 'remove_bottom', fraction: 0.5 })
    const again = await makePlan(folder.path, { kind: 'remove_bottom', fraction: 0.5 })
    expect(again).toMatchObject({ plan_id: second.plan_id, digest: second.digest })
    await applyPlan(folder.path, first, job)
    const before = await snapshot(folder.path)
    await expect(applyPlan(folder.path, second, job)).rejects.toMatchObject({ code: 'plan_stale' })
    await expect(applyPlan(folder.path, { ...again, digest: 'other' }, job)).rejects.toMatchObject({ code: 'plan_stale' })
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('a plan that was changed on its way is refused', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 5) })
    const plan = await makePlan(folder.path, { kind: 'remove_bottom', fraction: 0.2 })
    await expect(applyPlan(folder.path, { ...plan, request: { kind: 'remove_run', run_id: 'run-1' } }, job)).rejects.toMatchObject({
      code: 'plan_stale',
    })
  })

  test('emptying the trash is for good; what has taken its place or is damaged is not overwritten', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 6) })
    const first = await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['wheat#0'] })
    const second = await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['wheat#1'] })
    expect(await emptyTrash(folder.path, { operation: first.operation_id ?? '', ...job })).toMatchObject({
      operations: [first.operation_id],
    })
    await expect(restore(folder.path, first.operation_id)).rejects.toMatchObject({ code: 'trash_not_found' })
    await expect(restore(folder.path, '../../etc')).rejects.toMatchObject({ code: 'trash_not_found' })
    const inTrash = join(folder.path, '.nirs-workspace', 'trash', second.operation_id ?? '')
    const arrays = await readFile(join(inTrash, 'arrays', '0.parquet'))
    await writeFile(join(inTrash, 'arrays', '0.parquet'), Buffer.concat([arrays.subarray(0, 40), Buffer.from([1]), arrays.subarray(41)]))
    await expect(restore(folder.path, second.operation_id)).rejects.toMatchObject({ code: 'trash_damaged' })
    await writeFile(join(inTrash, 'arrays', '0.parquet'), arrays)
    await restore(folder.path, second.operation_id)
    expect((await listTrash(folder.path)).total).toBe(0)
    await apply(folder.path, { kind: 'remove_run', run_id: 'run-1' })
    await mkdir(join(folder.path, '.nirs-workspace', 'trash', 'remove-run-half-kept-0123abcd'))
    await emptyTrash(folder.path, job)
    expect(await readdir(folder.path)).not.toContain('.nirs-workspace')
  })

  test('what is not there is said to be missing; an unknown direction is refused; requests are strict', async () => {
    await using folder = await temporaryFolder()
    const extra = ["UPDATE predictions SET metric = 'my_own_score'"]
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 4), extra })
    const refused = (request: MaintenanceInput) => expect(makePlan(folder.path, request)).rejects
    await refused({ kind: 'remove_run', run_id: 'x' }).toMatchObject({ code: 'run_not_found' })
    await refused({ kind: 'remove_pipeline', pipeline_id: 'x' }).toMatchObject({ code: 'pipeline_not_found' })
    await refused({ kind: 'remove_chain', chain_id: 'x' }).toMatchObject({ code: 'chain_not_found' })
    const unknown = { code: 'dataset_not_found', message: expect.stringContaining('"whea%"'), fields: { hint: 'There are: "wheat".' } }
    await refused({ kind: 'remove_dataset', dataset_name: 'whea%' }).toMatchObject(unknown)
    await refused({ kind: 'remove_bottom', fraction: 0.5, dataset_name: 'whea%' }).toMatchObject(unknown)
    await refused({ kind: 'compact', dataset_name: 'whea%' }).toMatchObject(unknown)
    await refused({ kind: 'clean_dead_links', dataset_name: 'whea%' }).toMatchObject(unknown)
    const message = 'No prediction has the metric "rmse". Nothing was changed.'
    const unmeasured = { code: 'validation', message, fields: { hint: 'There are: "my_own_score".' } }
    await refused({ kind: 'remove_bottom', fraction: 0.5, metric: 'rmse' }).toMatchObject(unmeasured)
    await refused({ kind: 'remove_predictions', prediction_ids: ['wheat#0', 'x'] }).toMatchObject({ code: 'prediction_not_found' })
    await refused({ kind: 'remove_bottom', fraction: 0.5 }).toMatchObject({ code: 'metric_direction_unknown' })
    await refused({ kind: 'remove_bottom', fraction: Number.NaN }).toMatchObject({ code: 'validation' })
    const higher = await makePlan(folder.path, { kind: 'remove_bottom', fraction: 0.5, direction: 'higher' })
    expect(higher.items.filter(({ what }) => what === 'row').map(({ id }) => id)).toEqual(['wheat#0', 'wheat#1'])
  })

  test('in an empty workspace there is nothing to remove, and no dataset or metric of any name', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: [] })
    const planned = (request: MaintenanceInput) => makePlan(folder.path, request)
    for (const scope of [{}, { dataset_name: 'wheat' }]) {
      const requests: MaintenanceInput[] = [
        { kind: 'remove_bottom', fraction: 0.5, ...scope },
        { kind: 'remove_bottom', fraction: 0.5, metric: 'val_score', ...scope },
        { kind: 'compact', ...scope },
        { kind: 'clean_dead_links', ...scope },
      ]
      for (const request of requests) {
        if (!('dataset_name' in scope)) expect((await planned(request)).items_total, request.kind).toBe(0)
        else await expect(planned(request), request.kind).rejects.toMatchObject({ code: 'dataset_not_found' })
      }
    }
    await expect(planned({ kind: 'remove_bottom', fraction: 0.5, metric: 'rmse' })).rejects.toMatchObject({ code: 'validation' })
  })
})

test('arrays that are still inside the store have to be migrated first', async () => {
  await using folder = await temporaryFolder()
  await makeStore(join(folder.path, 'store.duckdb'), { release: '0.7.1', predictions: some(['wheat'], 2) })
  await expect(makePlan(folder.path, { kind: 'remove_run', run_id: 'run-1' })).rejects.toMatchObject({ code: 'not_migrated' })
})
