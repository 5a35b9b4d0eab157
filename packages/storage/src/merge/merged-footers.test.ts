import { join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { readSummaries } from '../array-store/read-summaries.ts'
import { applyPlan } from '../maintenance/apply-plan.ts'
import { makePlan } from '../maintenance/make-plan.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { mergeStores } from './merge-stores.ts'
import { makeHybrid } from './testing/merge-fixture.ts'

test('the footers after a merge tell of what came and of what was there, also where nirs4all wrote the file', async () => {
  await using folder = await temporaryFolder()
  const path = (name: string) => join(folder.path, name)
  const row = (id: string, fold: number, created: string, refit: string | null = null) => ({ id, fold: String(fold), created, refit })
  await makeHybrid(path('to'), { predictions: [row('a', 0, '2026-01-02'), row('b', 1, '2026-01-05', 'standalone')] })
  await makeHybrid(path('from'), { predictions: [row('c', 2, '2026-01-03', 'stacking'), row('b', 1, '2026-01-05', 'standalone')] })
  const footer = async () => {
    const [{ summary } = expect.fail('no array file')] = await readSummaries(path('to'))
    return { rows: summary?.rows, refits: summary?.facets.refit_context, created_at: summary?.created_at, is_exact: summary?.context_exact }
  }
  const merge = (jobId: string) =>
    mergeStores(path('to'), [path('from')], { cacheFolder: path('cache'), jobId, create: false, onConflict: 'skip' })
  const apply = async (request: MaintenanceInput) => applyPlan(path('to'), await makePlan(path('to'), request), { jobId: request.kind })
  const merged = {
    rows: 3,
    refits: { standalone: 1, stacking: 1 },
    created_at: { first: '2026-01-02 00:00:00', last: '2026-01-05 00:00:00' },
    is_exact: true,
  }
  await merge('first')
  expect(await footer()).toEqual(merged)
  await apply({ kind: 'remove_predictions', prediction_ids: ['b'] })
  await merge('again')
  // What was removed counts until it goes; what has come in its place has another id.
  expect(await footer()).toEqual({ ...merged, rows: 4, refits: { standalone: 2, stacking: 1 } })
  await apply({ kind: 'compact' })
  expect(await footer()).toEqual(merged)
})
