import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MaintenanceInput } from '@nirs-workspace/types'
import { emptyTrash } from '../../trash/empty-trash.ts'
import { listTrash } from '../../trash/list-trash.ts'
import { restoreTrash } from '../../trash/restore-trash.ts'
import { applyPlan } from '../apply-plan.ts'
import { makePlan } from '../make-plan.ts'
import { fillFigures, makeWorkspace, type StoreKind, saveArrays } from './maintenance-fixture.ts'

const jobId = 'fault'

/** A small workspace in which every kind of job has something to do. */
export const makeBusyWorkspace = async (folder: string, kind: StoreKind): Promise<void> => {
  const predictions = ['wheat', 'soil pH', 'soil_pH'].flatMap((dataset) =>
    [0, 1, 2].map((fold) => ({ id: `${dataset}#${fold}`, dataset, fold: String(fold), score: fold + 0.5 })),
  )
  const extra = [
    "INSERT INTO logs (log_id, pipeline_id, step_idx, event) VALUES ('log-1', 'p-wheat', 1, 'fit')",
    "INSERT INTO artifacts (artifact_id, artifact_path, content_hash, created_at) VALUES ('unused', 'aa/unused.joblib', 'h', TIMESTAMP '2026-01-05 08:30:00')",
    fillFigures,
  ]
  await makeWorkspace(folder, { kind, predictions: [...predictions, { id: 'lost', y: null }], extra })
  await saveArrays(folder, [{ id: 'orphan' }])
  const model = join(folder, 'artifacts', 'aa', 'unused.joblib')
  await mkdir(dirname(model), { recursive: true })
  await writeFile(model, 'a model')
  await utimes(model, 1e9, 1e9)
}

/** A job, and what has to have happened before it. */
export interface FaultJob {
  prepare(path: string): Promise<unknown>
  run(path: string): Promise<unknown>
}

const applying = (request: MaintenanceInput) => async (path: string) => applyPlan(path, await makePlan(path, request), { jobId })
const nothing = async () => undefined
const removal = (request: MaintenanceInput): FaultJob => ({ prepare: nothing, run: applying(request) })
const latest = async (path: string): Promise<string> => (await listTrash(path)).rows[0]?.operation_id ?? ''

const removeRun = applying({ kind: 'remove_run', run_id: 'run-1' })
const removeTwo = applying({ kind: 'remove_predictions', prediction_ids: ['wheat#1', 'soil pH#2'] })
// All of one array file, part of another.
const removeMany = applying({
  kind: 'remove_predictions',
  prediction_ids: ['wheat#1', ...['soil pH', 'soil_pH'].flatMap((dataset) => [0, 1, 2].map((fold) => `${dataset}#${fold}`))],
})

export const faultJobs = {
  'clean dead links': removal({ kind: 'clean_dead_links' }),
  'remove bottom': removal({ kind: 'remove_bottom', fraction: 0.4 }),
  'remove run': { prepare: nothing, run: removeRun },
  'remove dataset': removal({ kind: 'remove_dataset', dataset_name: 'soil pH' }),
  'remove predictions': { prepare: nothing, run: removeTwo },
  'artifact gc': removal({ kind: 'artifact_gc' }),
  compact: { prepare: removeMany, run: applying({ kind: 'compact' }) },
  restore: { prepare: removeRun, run: async (path) => restoreTrash(path, await latest(path), { jobId }) },
  'restore models': { prepare: applying({ kind: 'artifact_gc' }), run: async (path) => restoreTrash(path, await latest(path), { jobId }) },
  'restore items': { prepare: removeRun, run: async (path) => restoreTrash(path, await latest(path), { jobId, ids: ['wheat#1'] }) },
  'empty trash': { prepare: removeTwo, run: (path) => emptyTrash(path, { jobId }) },
} satisfies Record<string, FaultJob>

export type FaultJobName = keyof typeof faultJobs
export const faultJobNames = Object.keys(faultJobs).filter((name): name is FaultJobName => Object.hasOwn(faultJobs, name))
