import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withArrayReader } from '../arrays/array-reader.ts'
import { buildCatalog } from '../catalog/build-catalog.ts'
import { quotedString } from '../engine/attach-store.ts'
import { exportDataset } from '../export/export-dataset.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { makeWorkspace, saveArrays, storeKinds } from '../maintenance/testing/maintenance-fixture.ts'
import { hashTree } from '../testing/hash-tree.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { rewriteParquet } from '../testing/tamper.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { verifyWorkspace } from './verify-workspace.ts'

const file = 'arrays/wheat.parquet'
const short = { id: 'short', y: [1, 2] }
const long = { id: 'long', y: [1, 2, 3, 4, 5], fold: '1' }
const other = { id: 'other', y: [7], dataset: 'rye' }

/** One bit of an id in a file without checksums: the row of `long` has come to be one more of `short`. */
const changeId = (root: string): Promise<void> =>
  rewriteParquet(join(root, file), "* REPLACE (CASE prediction_id WHEN 'long' THEN 'short' ELSE prediction_id END AS prediction_id)")

const codes = async (path: string, depth: 'quick' | 'deep' = 'quick') =>
  (await verifyWorkspace(path, { depth })).findings.map(({ severity, code, ids }) => ({ severity, code, ids }))

test.each([
  { depth: 'quick', predictions: [short, long, other] },
  { depth: 'deep', predictions: [short, long, other] },
  { depth: 'quick', predictions: [long, short, other] },
] as const)(
  'the $depth check names rows with another number of values than their prediction has samples',
  async ({ depth, predictions }) => {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind: 'duckdb', predictions })
    expect(await codes(folder.path, depth)).toEqual([])
    await changeId(folder.path)
    // The file was written anew by another program.
    const unsealed = { severity: 'info', code: 'no_checksums', ids: undefined }
    expect(await codes(folder.path, depth)).toEqual([
      ...(depth === 'deep' ? [unsealed] : []),
      { severity: 'warning', code: 'predictions_without_arrays', ids: ['long'] },
      { severity: 'error', code: 'samples_mismatch', ids: ['short'] },
    ])
  },
)

test('rows that a later row of the same prediction has replaced are no damage, until compaction has dropped them', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [short, long] })
  await saveArrays(folder.path, [{ ...short, y: [8, 9] }])
  expect(await verifyWorkspace(folder.path, { depth: 'quick' })).toMatchObject({
    passed: true,
    findings: [{ severity: 'info', code: 'replaced_array_rows', count: 1, ids: ['short'], detail: expect.stringContaining('compact') }],
  })
  await applyPlan(folder.path, await makePlan(folder.path, { kind: 'compact' }), { jobId: 'job' })
  expect(await codes(folder.path)).toEqual([])
})

test('such arrays are not given out; those of others in the file are', async () => {
  await using folder = await temporaryFolder()
  const third = { id: 'third', fold: '2', y: [3, 4] }
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [short, long, third] })
  await changeId(folder.path)
  const places = { root: folder.path, duckdb: null, bak: null, arrays: join(folder.path, 'arrays') }
  await withArrayReader({}, async (reader) => {
    const read = (prediction_id: string) => reader.loadOne(places, { prediction_id, array_source: file, n_samples: 2 })
    await expect(read('short')).rejects.toMatchObject({ code: 'arrays_corrupt', fields: { ids: ['short'], path: file } })
    await expect(read('third')).resolves.toMatchObject({ prediction_id: 'third' })
  })
})

test.each(['parquet', 'csv'] as const)('such arrays do not leave in an export as %s; without them it is made', async (format) => {
  await using folder = await temporaryFolder()
  await using outside = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [short, long, other] })
  await changeId(folder.path)
  const resolved = await resolveWorkspace(folder.path)
  const catalog = { file: await buildCatalog(resolved, { cacheFolder: join(outside.path, 'cache') }) }
  for (const layout of ['prediction', 'sample'] as const) {
    const order = { format, layout, csv_dialect: 'plain', target: join(outside.path, `${layout}.${format}`) } as const
    await expect(exportDataset({ resolved, catalog }, { ...order, dataset_name: 'wheat' })).rejects.toMatchObject({
      code: 'arrays_corrupt',
      fields: { ids: ['short'], path: file },
    })
    expect(await exportDataset({ resolved, catalog }, { ...order, dataset_name: 'rye' })).toMatchObject({ rows: 1 })
  }
})

test.each(storeKinds)('in a store.%s neither compaction nor a clean-up takes what a changed id may have hidden', async (kind) => {
  for (const predictions of [
    [short, long, other],
    [long, short, other],
  ]) {
    await using folder = await temporaryFolder()
    await makeWorkspace(folder.path, { kind, predictions })
    await changeId(folder.path)
    const before = await hashTree(join(folder.path, 'arrays'))
    await expect(makePlan(folder.path, { kind: 'compact', dataset_name: 'wheat' })).rejects.toMatchObject({
      code: 'arrays_corrupt',
      fields: { ids: ['short'] },
      message: expect.stringMatching(/short.*Nothing was changed/),
    })
    const plan = await makePlan(folder.path, { kind: 'compact' })
    expect(plan).toMatchObject({ items_total: 0, warnings: [expect.stringContaining(`${file} is left as it is`)] })
    await applyPlan(folder.path, plan, { jobId: 'job' })
    expect(await hashTree(join(folder.path, 'arrays'))).toEqual(before)
    const clean = await makePlan(folder.path, { kind: 'clean_dead_links', grace_hours: 0 })
    expect(clean.report).toMatchObject({
      metadata_orphans_removed: 0,
      refused: [{ dataset_name: 'wheat', file, reason: expect.stringContaining('short') }],
    })
  }
})

test('where another file has rows to drop, the one with a changed id stays as it is', async () => {
  await using folder = await temporaryFolder()
  await makeWorkspace(folder.path, { kind: 'duckdb', predictions: [short, long, other] })
  await changeId(folder.path)
  const rye = join(folder.path, 'arrays/rye.parquet')
  await rewriteParquet(rye, '*', `true UNION ALL SELECT * FROM read_parquet(${quotedString(rye)})`)
  const before = await readFile(join(folder.path, file))
  const plan = await makePlan(folder.path, { kind: 'compact' })
  expect(plan.items).toMatchObject([{ dataset_name: 'rye' }])
  await applyPlan(folder.path, plan, { jobId: 'job' })
  expect(await readFile(join(folder.path, file))).toEqual(before)
  expect((await codes(folder.path)).map(({ code }) => code)).toEqual(['predictions_without_arrays', 'samples_mismatch'])
})
