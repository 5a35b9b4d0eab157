import type { MergedSource, MergeReport } from '@nirs-workspace/types'
import { countRemapped, countRows, countSource, listConflicts, listDatasetsMerged } from './count-merge.ts'
import type { Outcome } from './merge-stores.ts'
import type { OpenMerge } from './open-merge.ts'
import { warningsOf } from './plan-merge.ts'
import { hasMissingModels } from './stage-models.ts'

/** Whether the target has everything already, so that nothing needs to be written. */
export const isNothing = async (merge: OpenMerge): Promise<boolean> => {
  const rows = await countRows(merge)
  if (Object.values(rows).some((count) => count > 0)) return false
  const sources = await countSources(merge)
  if (sources.some((source) => source.predictions_merged > 0 || source.replaced > 0 || source.arrays_added > 0)) return false
  return !(await hasMissingModels(merge))
}

interface About {
  readonly jobId: string
  readonly target: string
  readonly created: boolean
  readonly seconds: number
  readonly record: string
}

/** The report; without an outcome nothing was to be done. */
export const describeMerge = async (merge: OpenMerge, done: (Outcome | object) & About): Promise<MergeReport> => {
  const outcome = 'arrays' in done ? done : null
  const { total } = await listConflicts(merge, { limit: 0, offset: 0 })
  return {
    job_id: done.jobId,
    target: done.target,
    created_target: done.created,
    on_conflict: merge.request.onConflict,
    sources: await countSources(merge),
    rows: await countRows(merge),
    remapped: await countRemapped(merge),
    datasets_merged: await listDatasetsMerged(merge),
    conflicts_resolved: total,
    artifact_files: outcome?.models.files.length ?? 0,
    array_rows: outcome?.arrays.reduce((sum, file) => sum + file.rows, 0) ?? 0,
    trash_operation: outcome?.trash ?? null,
    warnings: [...(await warningsOf(merge)), ...(outcome?.models.warnings ?? [])],
    errors: [],
    duration_seconds: done.seconds,
    record_path: outcome === null ? null : done.record,
  }
}

const countSources = async (merge: OpenMerge): Promise<MergedSource[]> => {
  const sources: MergedSource[] = []
  for (const source of merge.sources) sources.push(await countSource(merge.engine, source))
  return sources
}
