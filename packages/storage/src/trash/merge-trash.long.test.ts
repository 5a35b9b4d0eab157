import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { snapshot } from '../maintenance/testing/maintenance-fixture.ts'
import { mergeStores } from '../merge/merge-stores.ts'
import { type MadeForMerge, makeHybrid } from '../merge/testing/merge-fixture.ts'
import { naturalKeyIndex } from '../migration/store-schema.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { checkRestore } from './check-restore.ts'
import { listTrash } from './list-trash.ts'
import { restoreTrash } from './restore-trash.ts'
import { TrashManifest } from './trash-manifest.ts'

/** A merge into one workspace from another, of the same lineage unless a statement says otherwise; the workspace, and what gave way in the trash. */
const mergeOf = async (
  folder: string,
  target: readonly MadeForMerge[],
  source: readonly MadeForMerge[],
  extra: readonly string[] = [],
  own: readonly string[] = [],
) => {
  const path = await makeHybrid(join(folder, 'target'), { predictions: target, extra })
  const before = await snapshot(path)
  const from = await makeHybrid(join(folder, 'source'), { predictions: source, extra: [...extra, ...own] })
  const { trash_operation } = await mergeStores(path, [from], { jobId: 'merge', cacheFolder: join(folder, 'cache') })
  return { path, before, operation: trash_operation ?? '' }
}

test('what gave way in a merge comes back from the trash beside what has replaced it, where that is of another run', async () => {
  await using folder = await temporaryFolder()
  const own = ["UPDATE runs SET name = 'B'"]
  const { path, before, operation } = await mergeOf(folder.path, [{ id: 't', score: 0.9 }], [{ id: 's', score: 0.1 }], [], own)
  const merged = await snapshot(path)
  expect((await listTrash(path)).rows).toMatchObject([{ kind: 'merge', counts: { predictions: 1 } }])
  expect(await restoreTrash(path, operation, { jobId: 'back' })).toMatchObject({
    counts: { predictions: 1, arrays: 1 },
    remaining: false,
  })
  const after = await snapshot(path)
  expect(after.tables).toMatchObject({
    runs: merged.tables.runs,
    predictions: [...(merged.tables.predictions ?? []), expect.any(String)].map(() => expect.any(String)),
  })
  expect(before.tables.predictions?.every((row) => after.tables.predictions?.includes(row))).toBe(true)
  expect(after.arrays).toMatchObject(before.arrays)
  expect(after.arrays).toMatchObject(merged.arrays)
})

const remove = async (path: string, id: string) =>
  applyPlan(path, await makePlan(path, { kind: 'remove_predictions', prediction_ids: [id] }), { jobId: 'remove' })

const refusedBy = (id: string, holder: string) => ({
  code: 'restore_conflict',
  message: expect.stringContaining(`in the place of 1 prediction (${id}).`),
  fields: { ids: [id], hint: expect.stringContaining(`Remove 1 prediction (${holder}) first`) },
})

test.each([
  ['without a branch', []],
  ['with a branch and the index', ['UPDATE predictions SET branch_id = 0', naturalKeyIndex]],
])('%s: what gave way does not come back while what has replaced it has its place; preview and restore agree', async (_, extra) => {
  await using folder = await temporaryFolder()
  const { path, before, operation } = await mergeOf(folder.path, [{ id: 't', score: 0.9 }], [{ id: 's', score: 0.1 }], extra)
  const merged = await snapshot(path)
  for (const ids of [undefined, ['t']]) {
    await expect(checkRestore(path, operation, ids)).rejects.toMatchObject(refusedBy('t', 's'))
    await expect(restoreTrash(path, operation, { jobId: 'back', ids })).rejects.toMatchObject(refusedBy('t', 's'))
  }
  expect(await snapshot(path)).toEqual(merged)
  await remove(path, 's')
  // Chain and pipeline went with the last prediction that they had.
  const counts = { pipelines: 1, chains: 1, predictions: 1, arrays: 1 }
  expect(await checkRestore(path, operation)).toMatchObject({ counts })
  expect(await restoreTrash(path, operation, { jobId: 'back' })).toMatchObject({ counts, remaining: false })
  const { tables, arrays } = await snapshot(path)
  expect([tables, arrays]).toEqual([before.tables, before.arrays])
})

test('a trash of before that says of all that gave way that they may come back beside others is not believed', async () => {
  await using folder = await temporaryFolder()
  const { path, operation } = await mergeOf(folder.path, [{ id: 't', score: 0.9 }], [{ id: 's', score: 0.1 }])
  const manifest = join(path, '.nirs-workspace', 'trash', operation, 'manifest.json')
  const { twins: _, ...old } = TrashManifest.parse(JSON.parse(await readFile(manifest, 'utf8')))
  await writeFile(manifest, JSON.stringify({ ...old, doubled: ['t'] }))
  await expect(checkRestore(path, operation)).rejects.toMatchObject(refusedBy('t', 's'))
  await expect(restoreTrash(path, operation, { jobId: 'back' })).rejects.toMatchObject(refusedBy('t', 's'))
})

test('what shared its place before a merge comes back beside what it shared it with, whether that stayed or went, and beside nothing else', async () => {
  await using folder = await temporaryFolder()
  const target = [
    { id: 't', score: 0.9 },
    { id: 'u', score: 0.8 },
    { id: 'stays', score: 0.7 },
  ]
  const other = "UPDATE predictions SET model_class = 'Other' WHERE prediction_id = 'stays'"
  const { path, before, operation } = await mergeOf(folder.path, target, [{ id: 's', score: 0.1 }], [other])
  expect((await listTrash(path)).rows).toMatchObject([{ counts: { predictions: 2 } }])
  // What comes has found a place of its own, since one of those that shared theirs stayed.
  await restoreTrash(path, operation, { jobId: 'first', ids: ['t'] })
  await restoreTrash(path, operation, { jobId: 'second' })
  const { tables } = await snapshot(path)
  expect(before.tables.predictions?.every((row) => tables.predictions?.includes(row))).toBe(true)
  const again = await mergeOf(join(folder.path, 'again'), target.slice(0, 2), [{ id: 's', score: 0.1 }])
  await expect(checkRestore(again.path, again.operation)).rejects.toMatchObject({
    code: 'restore_conflict',
    fields: { ids: ['t', 'u'], hint: expect.stringContaining('(s)') },
  })
  await remove(again.path, 's')
  await restoreTrash(again.path, again.operation, { jobId: 'back' })
  expect((await snapshot(again.path)).tables.predictions).toEqual(again.before.tables.predictions)
})
