import type { MaintenanceInput } from '@nirs-workspace/types'
import { expect, test } from 'vitest'
import { copyWorkspace, hasSharedWorkspaces, type SharedWorkspaceName } from '../testing/shared-workspaces.ts'
import { restoreTrash } from '../trash/restore-trash.ts'
import { applyPlan } from './apply-plan.ts'
import { makePlan } from './make-plan.ts'
import { snapshot } from './testing/maintenance-fixture.ts'

const job = { jobId: 'job' }
const maintained: SharedWorkspaceName[] = ['hybrid-0.8.1', 'sqlite-0.9.4', 'sqlite-0.11']

test.runIf(hasSharedWorkspaces()).each(maintained)(
  '%s: every run goes with all that refers to it, and everything comes back',
  async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await snapshot(copy.path)
    const runs = (before.tables.runs ?? []).map((row) => /"run_id"(?::|,"string",)"([^"]+)"/.exec(row.replaceAll('\\"', '"'))?.[1] ?? '')
    const operations: string[] = []
    for (const run_id of runs) {
      const plan = await makePlan(copy.path, { kind: 'remove_run', run_id })
      const { operation_id } = await applyPlan(copy.path, plan, job)
      operations.push(operation_id ?? '')
    }
    const empty = await snapshot(copy.path)
    const left = ['runs', 'pipelines', 'chains', 'predictions', 'logs', 'conformal_results', 'tuning_results'].flatMap(
      (table) => empty.tables[table] ?? [],
    )
    expect([left, empty.arrays]).toEqual([[], {}])
    for (const operation of operations.reverse()) await restoreTrash(copy.path, operation, job)
    const after = await snapshot(copy.path)
    expect(after.tables).toEqual(before.tables)
    expect(after.arrays).toEqual(before.arrays)
    expect(after.models).toEqual(before.models)
  },
)

test.runIf(hasSharedWorkspaces()).each(maintained)(
  '%s: removals by score, by dataset and of models are undone to the bit',
  async (name) => {
    await using copy = await copyWorkspace(name)
    const before = await snapshot(copy.path)
    const requests: MaintenanceInput[] = [
      { kind: 'remove_bottom', fraction: 0.3 },
      { kind: 'remove_dataset', dataset_name: 'soil pH' },
      { kind: 'artifact_gc', grace_hours: 0, include_unregistered: true },
      { kind: 'remove_dataset', dataset_name: 'oil_moisture' },
    ]
    const operations: string[] = []
    for (const request of requests)
      operations.push((await applyPlan(copy.path, await makePlan(copy.path, request), job)).operation_id ?? '')
    for (const operation of operations.reverse()) await restoreTrash(copy.path, operation, job)
    expect(await snapshot(copy.path)).toEqual(before)
  },
)
