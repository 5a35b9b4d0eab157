import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { describe, expect, test } from 'vitest'
import { ArrayStore } from '../array-store/array-store.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { changeSqlite } from '../sqlite/testing/convert-store.ts'
import { expectFlushed } from '../testing/flush-order.ts'
import { type MadePrediction, temporaryFolder } from '../testing/make-store.ts'
import { checkRestore } from '../trash/check-restore.ts'
import { emptyTrash } from '../trash/empty-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import { verifyWorkspace } from '../verify/verify-workspace.ts'
import { inspectWorkspace } from '../workspace/inspect-workspace.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { makeWorkspace, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const apply = async (path: string, request: MaintenanceInput) => applyPlan(path, await makePlan(path, request), job)
const restore = (path: string, operation: string | null, ids?: readonly string[]) => restoreTrash(path, operation ?? '', { ...job, ids })

const some = (datasets: readonly string[], each: number): MadePrediction[] =>
  datasets.flatMap((dataset) =>
    Array.from({ length: each }, (_, index) => ({ id: `${dataset}#${index}`, dataset, fold: String(index), score: index + 1 })),
  )

describe.each(storeKinds)('in a store.%s', (kind) => {
  test('compaction drops what the preview says; a damaged list of removals stops it', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat', 'corn'], 6) })
    await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['wheat#0', 'wheat#1', 'corn#5'] })
    const before = await snapshot(folder.path)
    const plan = await makePlan(folder.path, { kind: 'compact', dataset_name: 'wheat' })
    expect(plan.report).toMatchObject({ datasets: { wheat: { rows_before: 6, rows_after: 4, rows_removed: 2 } } })
    const applied = await applyPlan(folder.path, plan, job)
    const { size } = await stat(join(folder.path, 'arrays', 'wheat.parquet'))
    expect(applied.report).toMatchObject({ datasets: { wheat: { rows_removed: 2, bytes_after: size } } })
    expect(await snapshot(folder.path)).toEqual(before)
    expect((await ArrayStore.open(folder.path).stats()).datasets.map(({ name, rows }) => [name, rows])).toEqual([
      ['corn', 6],
      ['wheat', 4],
    ])
    await writeFile(join(folder.path, 'arrays', '_tombstones.json'), '{"torn')
    await expect(makePlan(folder.path, { kind: 'compact' })).rejects.toMatchObject({ code: 'tombstones_corrupt' })
    await expect(makePlan(folder.path, { kind: 'clean_dead_links' })).rejects.toMatchObject({ code: 'tombstones_corrupt' })
  })

  test('what compaction has really dropped comes back from the trash', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 5) })
    const before = await snapshot(folder.path)
    const { operation_id } = await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['wheat#0', 'wheat#3'] })
    await apply(folder.path, { kind: 'compact' })
    await restore(folder.path, operation_id, ['wheat#3'])
    await restore(folder.path, operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('an array file goes with its last row, its bytes are counted, and all of it comes back from the trash', async () => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat', 'corn'], 2) })
    const before = await snapshot(folder.path)
    const corn = join(folder.path, 'arrays', 'corn.parquet')
    const { size } = await stat(corn)
    const { operation_id } = await apply(folder.path, { kind: 'remove_predictions', prediction_ids: ['corn#0', 'corn#1'] })
    const again = await makePlan(folder.path, { kind: 'remove_dataset', dataset_name: 'corn' })
    expect(again).toMatchObject({ items_total: 0, report: { predictions_removed: 0, parquet_deleted: false } })
    const { report } = await apply(folder.path, { kind: 'compact' })
    expect(report).toMatchObject({ datasets: { corn: { rows_before: 2, rows_after: 0, bytes_before: size, bytes_after: 0 } } })
    expect(existsSync(corn)).toBe(false)
    const { findings } = await verifyWorkspace(folder.path, { depth: 'quick' })
    expect(findings.map(({ code }) => code)).not.toContain('missing_array_file')
    await restore(folder.path, operation_id, ['corn#1'])
    await restore(folder.path, operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })

  test('models that no chain names go, with their files, and come back; shared files and young ones stay', async () => {
    await using folder = await temporaryFolder()
    const artifact = (id: string, path: string, refs = 1) =>
      `INSERT INTO artifacts (artifact_id, artifact_path, content_hash, ref_count, created_at) VALUES ('${id}', '${path}', 'h', ${refs}, TIMESTAMP '2026-01-05 08:30:00')`
    const extra = [
      artifact('used', 'aa/used.joblib', 0),
      artifact('unused', 'bb/unused.joblib'),
      artifact('twin', 'aa/used.joblib'),
      artifact('fresh', 'cc/fresh.joblib'),
      `UPDATE chains SET fold_artifacts = '{"0": "used"}'`,
    ]
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 1), extra })
    for (const path of ['aa/used.joblib', 'bb/unused.joblib', 'cc/fresh.joblib', 'dd/stray.joblib']) {
      await mkdir(join(folder.path, 'artifacts', path, '..'), { recursive: true })
      await writeFile(join(folder.path, 'artifacts', path), path)
      if (!path.includes('fresh')) await utimes(join(folder.path, 'artifacts', path), 1e9, 1e9)
    }
    const before = await snapshot(folder.path)
    const plan = await makePlan(folder.path, { kind: 'artifact_gc' })
    expect(plan.items.map(({ id }) => id)).toEqual(['twin', 'unused', 'bb/unused.joblib'])
    expect(plan.report).toMatchObject({ rows_removed: 2, files_removed: 1, too_young: 1, unregistered_files: 1 })
    const { operation_id } = await applyPlan(folder.path, plan, job)
    expect(Object.keys((await snapshot(folder.path)).models).sort()).toEqual(['aa/used.joblib', 'cc/fresh.joblib', 'dd/stray.joblib'])
    await restore(folder.path, operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
    const strays = await apply(folder.path, { kind: 'artifact_gc', include_unregistered: true })
    expect(existsSync(join(folder.path, 'artifacts', 'dd'))).toBe(false)
    await restore(folder.path, strays.operation_id)
    expect(await snapshot(folder.path)).toEqual(before)
  })
})

/** A workspace whose models `first` and `second`, which no chain names, have been collected; what it was before, and the operation. */
const makeCollected = async (path: string) => {
  const names = ['first', 'second'].map((name) => [name, `aa/${name}.joblib`] as const)
  const extra = names.map(
    ([id, file]) => `INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('${id}', '${file}', 'h')`,
  )
  await makeWorkspace(path, { kind: 'duckdb', predictions: some(['wheat'], 1), extra })
  const models = join(path, 'artifacts', 'aa')
  await mkdir(models, { recursive: true })
  for (const [name, file] of names) await writeFile(join(path, 'artifacts', file), name)
  const before = await snapshot(path)
  const { operation_id } = await apply(path, { kind: 'artifact_gc', grace_hours: 0 })
  await mkdir(models, { recursive: true })
  return { before, operation_id, first: join(models, 'first.joblib') }
}

test('a model that has been stored again is left as it is, and keeps no other from coming back', async () => {
  await using folder = await temporaryFolder()
  const { before, operation_id, first } = await makeCollected(folder.path)
  await writeFile(first, 'first')
  await restore(folder.path, operation_id)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a model is not given up for another file that has taken its name', async () => {
  await using folder = await temporaryFolder()
  const { before, operation_id, first } = await makeCollected(folder.path)
  await writeFile(first, 'other')
  const found = await snapshot(folder.path)
  const taken = { code: 'restore_conflict', fields: { ids: ['aa/first.joblib'] } }
  await expect(checkRestore(folder.path, operation_id ?? '')).rejects.toMatchObject(taken)
  await expect(restore(folder.path, operation_id)).rejects.toMatchObject(taken)
  expect(await snapshot(folder.path)).toEqual(found)
  await rm(first)
  await restore(folder.path, operation_id)
  expect(await snapshot(folder.path)).toEqual(before)
})

test('what is written into a model that came back with a single row does not reach the trash, and keeps no other from coming back', async () => {
  await using folder = await temporaryFolder()
  const { before, operation_id, first } = await makeCollected(folder.path)
  await expectFlushed(folder.path, 'a restore of one row', () => restore(folder.path, operation_id, ['second']))
  await writeFile(first, 'written anew')
  const kept = trashPlaces(layoutOf(folder.path), operation_id ?? '').artifacts
  expect(await readFile(join(kept, 'aa', 'first.joblib'), 'utf8')).toBe('first')
  const { models } = await snapshot(folder.path)
  // A copy that others have changed, as they could in earlier releases, is not needed any more.
  await writeFile(join(kept, 'aa', 'first.joblib'), 'written anew')
  expect(await checkRestore(folder.path, operation_id ?? '')).toMatchObject({ warnings: [] })
  expect(await restore(folder.path, operation_id)).toMatchObject({ counts: { artifacts: 1, files: 0 }, remaining: false })
  expect(await snapshot(folder.path)).toEqual({ ...before, models })
})

test('models that came back with a single row and have gone since come back again with the rest, damaged ones are refused', async () => {
  await using folder = await temporaryFolder()
  const { before, operation_id, first } = await makeCollected(folder.path)
  expect(await restore(folder.path, operation_id, ['second'])).toMatchObject({ counts: { artifacts: 1, files: 2 }, remaining: true })
  await writeFile(first, '')
  await expect(restore(folder.path, operation_id)).rejects.toMatchObject({ code: 'restore_conflict' })
  await rm(first)
  expect(await restore(folder.path, operation_id)).toMatchObject({ counts: { artifacts: 1, files: 1 }, remaining: false })
  expect(await snapshot(folder.path)).toEqual(before)
})

test('a chain of which nobody can tell what models it names stops their collection', async () => {
  await using folder = await temporaryFolder()
  const extra = ["INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/m.joblib', 'h')"]
  await makeWorkspace(folder.path, { kind: 'sqlite', predictions: some(['wheat'], 1), extra })
  changeSqlite(join(folder.path, 'store.sqlite'), `UPDATE chains SET fold_artifacts = '{"0": "m'`)
  await expect(makePlan(folder.path, { kind: 'artifact_gc', grace_hours: 0 })).rejects.toMatchObject({ code: 'store_unreadable' })
})

test.each(storeKinds)(
  'models that went while a run of a store.%s was in the trash are missed by its restore, checks and inspection',
  async (kind) => {
    await using folder = await temporaryFolder()
    await using cache = await temporaryFolder()
    const extra = [
      "INSERT INTO artifacts (artifact_id, artifact_path, content_hash) VALUES ('m', 'aa/m.joblib', 'h')",
      `UPDATE chains SET fold_artifacts = '{"0": "m"}'`,
    ]
    await makeWorkspace(folder.path, { kind, predictions: some(['wheat'], 1), extra })
    await mkdir(join(folder.path, 'artifacts', 'aa'), { recursive: true })
    await writeFile(join(folder.path, 'artifacts', 'aa', 'm.joblib'), 'model')
    const before = await snapshot(folder.path)
    const run = (await apply(folder.path, { kind: 'remove_run', run_id: 'run-1' })).operation_id ?? ''
    expect(await checkRestore(folder.path, run)).toMatchObject({ warnings: [] })
    const models = (await apply(folder.path, { kind: 'artifact_gc', grace_hours: 0 })).operation_id ?? ''
    const warning = expect.stringMatching(
      new RegExp(`^1 model \\(m\\) that 1 chain names \\(c-wheat\\) is not there.*restore ${models} too`),
    )
    expect(await checkRestore(folder.path, run)).toMatchObject({ warnings: [warning] })
    expect((await restore(folder.path, run)).warnings).toEqual([warning])
    const detail = '1 model that chains name has no row in the store: m. 1 chain needs them: c-wheat.'
    const finding = { code: 'missing_artifact_rows', severity: 'warning', count: 1, ids: ['m'], detail }
    const inspect = async () => (await inspectWorkspace(folder.path, { cacheFolder: cache.path })).findings
    for (const depth of ['quick', 'deep'] as const) {
      expect(await verifyWorkspace(folder.path, { depth })).toMatchObject({ passed: false, findings: [finding] })
    }
    expect(await inspect()).toEqual([finding])
    expect((await restore(folder.path, models)).warnings).toEqual([])
    expect(await verifyWorkspace(folder.path, { depth: 'deep' })).toMatchObject({ passed: true, findings: [] })
    expect(await inspect()).toEqual([])
    expect(await snapshot(folder.path)).toEqual(before)
    const again = (await apply(folder.path, { kind: 'remove_run', run_id: 'run-1' })).operation_id ?? ''
    const given = (await apply(folder.path, { kind: 'artifact_gc', grace_hours: 0 })).operation_id ?? ''
    await emptyTrash(folder.path, { ...job, operation: given })
    expect((await checkRestore(folder.path, again)).warnings).toEqual([expect.stringContaining('In no operation of the trash: m.')])
  },
)
