import type { MaintenanceInput } from '@nirs-workspace/types'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isStorageError } from '../errors.ts'
import { temporaryFolder } from '../testing/make-store.ts'
import { listTrash } from '../trash/list-trash.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { fillFigures, makeWorkspace, type Snapshot, snapshot, storeKinds } from './testing/maintenance-fixture.ts'

const datasets = ['wheat', 'soil pH', 'soil_pH', "d'été/../%", '__proto__']
const predictionIds = datasets.flatMap((dataset) => [0, 1, 2, 3].map((fold) => `${dataset}#${fold}`))

const requests: fc.Arbitrary<MaintenanceInput> = fc.oneof(
  fc.constantFrom(...datasets).map((dataset_name) => ({ kind: 'remove_dataset' as const, dataset_name })),
  fc.constantFrom(...datasets).map((name) => ({ kind: 'remove_pipeline' as const, pipeline_id: `p-${name}` })),
  fc.constantFrom(...datasets).map((name) => ({ kind: 'remove_chain' as const, chain_id: `c-${name}` })),
  fc
    .subarray(predictionIds, { minLength: 1, maxLength: 6 })
    .map((prediction_ids) => ({ kind: 'remove_predictions' as const, prediction_ids })),
  fc.constantFrom(0, 0.3, 1).map((fraction) => ({ kind: 'remove_bottom' as const, fraction })),
  fc.constant({ kind: 'compact' as const }),
  fc.constant({ kind: 'remove_run' as const, run_id: 'run-1' }),
)

const isNotThere = (error: unknown) =>
  isStorageError(error, 'dataset_not_found', 'pipeline_not_found', 'chain_not_found', 'prediction_not_found', 'run_not_found')

const rowsIn = (state: Snapshot, table: string): number => state.tables[table]?.length ?? 0

/** Applies a request, if there is anything of it, and checks that exactly the previewed rows and arrays have gone. What is there then. */
const applyChecked = async (path: string, request: MaintenanceInput, before: Snapshot): Promise<Snapshot> => {
  const plan = await makePlan(path, request).catch((error: unknown) => {
    if (isNotThere(error)) return null
    throw error
  })
  if (plan === null) return before
  const applied = await applyPlan(path, plan, { jobId: 'job' })
  expect(applied.counts).toEqual(plan.counts)
  const after = await snapshot(path)
  for (const table of ['runs', 'pipelines', 'chains', 'predictions', 'logs'] as const) {
    expect(rowsIn(before, table) - rowsIn(after, table), `${request.kind}: ${table}`).toBe(plan.counts[table])
  }
  const gone = Object.keys(before.arrays).filter((id) => !Object.hasOwn(after.arrays, id))
  expect(gone.map((id) => id.slice(id.lastIndexOf('/', id.lastIndexOf('#')) + 1)).length).toBe(plan.counts.arrays)
  for (const [id, hash] of Object.entries(after.arrays)) expect(before.arrays[id], id).toBe(hash)
  return after
}

/** Restores everything in any order; what needs rows of another operation waits for it. */
const restoreAll = async (path: string, order: readonly number[]): Promise<void> => {
  for (let round = 0; round < 10; round++) {
    const operations = (await listTrash(path)).rows.map(({ operation_id }) => operation_id)
    if (operations.length === 0) return
    operations.sort((a, b) => (order[operations.indexOf(a)] ?? 0) - (order[operations.indexOf(b)] ?? 0))
    for (const operation of operations) {
      await restoreTrash(path, operation, { jobId: 'job' }).catch((error: unknown) => {
        if (!isStorageError(error, 'restore_conflict')) throw error
      })
    }
  }
}

test.each(storeKinds)(
  'removals of any kind in a store.%s do what the preview says, and restoring all gives back equal rows and equal arrays',
  {
    timeout: 600_000,
  },
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(requests, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (sequence, order) => {
          await using folder = await temporaryFolder()
          const predictions = predictionIds.map((id, index) => ({
            id,
            dataset: id.slice(0, id.indexOf('#')),
            fold: String(index),
            score: index % 7,
          }))
          const extra = [
            "INSERT INTO logs (log_id, pipeline_id, step_idx, event, message) VALUES ('l', 'p-wheat', 1, 'fit', 'ü\u2028\u0001')",
            "UPDATE predictions SET test_score = 'NaN'::DOUBLE, train_score = '-0.0'::DOUBLE WHERE fold_id IN ('1', '2')",
            `UPDATE predictions SET scores = '{"val": {"rmse": NaN}}' WHERE fold_id = '3'`,
            `UPDATE chains SET cv_scores = '{"val": {"rmse": NaN}}' WHERE chain_id = 'c-wheat'`,
          ]
          await makeWorkspace(folder.path, { kind, predictions, extra: [...(kind === 'sqlite' ? extra.slice(0, 1) : extra), fillFigures] })
          const before = await snapshot(folder.path)
          let now = before
          for (const request of sequence) now = await applyChecked(folder.path, request, now)
          await restoreAll(folder.path, order)
          expect((await listTrash(folder.path)).total).toBe(0)
          expect(await snapshot(folder.path)).toEqual(before)
        },
      ),
      { numRuns: 8 },
    )
  },
)
