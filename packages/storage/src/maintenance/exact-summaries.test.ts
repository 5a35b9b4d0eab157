import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { readSummaries } from '../array-store/read-summaries.ts'
import { convertStore } from '../sqlite/testing/convert-store.ts'
import { arraysOf, beginLineage, predictionOf } from '../store/testing/store-fixture.ts'
import { WorkspaceStore } from '../store/workspace-store.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { storeKinds } from './testing/maintenance-fixture.ts'

const apply = async (path: string, request: MaintenanceInput) => applyPlan(path, await makePlan(path, request), { jobId: 'job' })

/** What the footer of the only array file says. */
const footerOf = async (path: string) => {
  const [{ summary } = expect.fail('no array file')] = await readSummaries(path)
  const { rows, facets, created_at, context_exact } = summary ?? expect.fail('no summary')
  return { rows, branches: facets.branch_name, refits: facets.refit_context, created_at, context_exact }
}

const branches = ['snv', 'msc', 'snv', 'sg', 'msc', 'sg']

/** Six predictions, each saved by itself, so that each has a time of its own. */
const makeSix = async (path: string): Promise<string[]> => {
  await using store = await WorkspaceStore.open(path, { create: true })
  const lineage = await beginLineage(store)
  const ids: string[] = []
  for (const [fold, branch_name] of branches.entries()) {
    const refit_context = fold === 5 ? 'standalone' : null
    const made = predictionOf(lineage, { fold_id: String(fold), branch_id: fold, branch_name, refit_context })
    ids.push(await store.savePrediction(made, arraysOf(fold, fold)))
  }
  return ids
}

/** When the predictions of a workspace were saved, as its store says. */
const timesOf = async (path: string, ids: readonly string[]) => {
  await using store = await WorkspaceStore.open(path, { mode: 'read' })
  const times = []
  for (const id of ids) times.push((await store.getPrediction(id))?.created_at ?? expect.fail(id))
  return times
}

test.each(storeKinds)(
  'what the footers say of branches, refits and dates follows a compaction and a restore; in a store.%s',
  async (kind) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'w')
    const ids = await makeSix(path)
    const times = await timesOf(path, ids)
    if (kind === 'sqlite') await convertStore(path)
    const all = { rows: 6, branches: { snv: 2, msc: 2, sg: 2 }, refits: { standalone: 1 }, context_exact: true }
    expect(await footerOf(path)).toEqual({ ...all, created_at: { first: times[0], last: times[5] } })
    const { operation_id } = await apply(path, { kind: 'remove_predictions', prediction_ids: [0, 4, 5].map((place) => ids[place] ?? '') })
    await apply(path, { kind: 'compact' })
    const left = { rows: 3, branches: { snv: 1, msc: 1, sg: 1 }, refits: {}, context_exact: true }
    expect(await footerOf(path)).toEqual({ ...left, created_at: { first: times[1], last: times[3] } })
    await restoreTrash(path, operation_id ?? '', { jobId: 'job' })
    expect(await footerOf(path)).toEqual({ ...all, created_at: { first: times[0], last: times[5] } })
  },
)

test('a prediction that is saved again counts with what it is now, also when it was the first', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'w')
  const ids = await makeSix(path)
  const before = await timesOf(path, ids)
  {
    await using store = await WorkspaceStore.open(path)
    const first = (await store.getPrediction(ids[0] ?? '')) ?? expect.fail('gone')
    const lineage = { run: '', pipeline: first.pipeline_id, chain: first.chain_id ?? '' }
    const again = predictionOf(lineage, { fold_id: '0', branch_id: 0, branch_name: 'raw', val_score: 9 })
    expect(await store.savePrediction(again, arraysOf(7, 7))).toBe(ids[0])
  }
  const [now] = await timesOf(path, ids)
  expect(await footerOf(path)).toEqual({
    rows: 6,
    branches: { raw: 1, snv: 1, msc: 2, sg: 2 },
    refits: { standalone: 1 },
    context_exact: true,
    created_at: { first: before[1], last: now },
  })
})
