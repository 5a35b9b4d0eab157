import type { CompactDatasetsReport, MaintenancePlan } from '@nirs-workspace/types'
import type { CorruptFile } from '../array-store/array-reports.ts'
import { indexArrays } from '../catalog/array-index.ts'
import { StorageError } from '../errors.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import type { ProgressTracker } from '../migration/job-progress.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { type OpenWorkspace, withPlanning } from './maintenance-workspace.ts'
import { workOut } from './make-plan.ts'
import { openArrays } from './open-arrays.ts'
import { filesLeft, planCompact } from './plan-compact.ts'

interface Compacted {
  readonly report: CompactDatasetsReport
  /** What stayed all the same. */
  readonly warnings: readonly string[]
}

/** Compacts what a plan says, file by file, each replaced as a whole. The store is held for reading so that nobody writes to it meanwhile. */
export const applyCompact = async (
  resolved: ResolvedWorkspace,
  plan: MaintenancePlan,
  options: WorkOptions,
  progress: ProgressTracker,
): Promise<Compacted> =>
  withPlanning(resolved, new Date(plan.created_at), async (open) => {
    const { request } = plan
    if (request.kind !== 'compact') throw new Error('This plan does not compact.')
    const again = await workOut(open, request, plan.fingerprint)
    if (again.plan.digest !== plan.digest) {
      throw new StorageError('plan_stale', 'The workspace has changed since the preview. Nothing was changed.', {
        hint: 'Look at a new preview and start again from there.',
      })
    }
    const before = await planCompact(open, request)
    const warnings: string[] = []
    if (again.plan.items_total > 0) {
      const left = await filesLeft(open)
      progress.phase('stage', 'Rewriting array files')
      const { corrupt } = await openArrays(resolved.root, { signal: options.signal, metadata: open.metadata }).compact(
        request.dataset_name,
        {
          isKnown: async (ids) => new Set(await open.metadata.keysWhere('predictions', 'prediction_id', ids)),
          isLeft: (file) => left.has(file),
          signal: options.signal,
          onProgress: ({ file, rows, total_rows }) => progress.phase('stage', `${file}: ${rows} of ${total_rows} rows`),
        },
      )
      warnings.push(...warningsOfCorrupt(open, corrupt))
    }
    const after = await planCompact({ ...open, index: await indexArrays(open.engine, resolved) }, request)
    return { report: done(before.report, after.report), warnings }
  })

/** Files that could not be written anew. Those that cannot be read at all are in the plan's warnings already. */
const warningsOfCorrupt = ({ index }: OpenWorkspace, corrupt: readonly CorruptFile[]): string[] =>
  corrupt
    .filter(({ file }) => index.files.some(({ path, error }) => path === file && error === null))
    .map(({ file, reason }) => `${file} is left as it is, with the rows that were to go. ${reason}`)

/** The rows and bytes that the files really have now. */
const done = (before: CompactDatasetsReport, after: CompactDatasetsReport): CompactDatasetsReport => ({
  datasets: Object.fromEntries(
    Object.entries(before.datasets).map(([name, { rows_before, bytes_before }]) => {
      const { rows_before: rows_after, bytes_before: bytes_after } = after.datasets[name] ?? { rows_before: 0, bytes_before: 0 }
      return [name, { rows_before, rows_after, rows_removed: rows_before - rows_after, bytes_before, bytes_after }]
    }),
  ),
})
