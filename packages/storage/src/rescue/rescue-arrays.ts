import { ArrayFolder } from '../array-store/array-folder.ts'
import { withLazyEngine } from '../array-store/lazy-engine.ts'
import { removeTombstones } from '../array-store/tombstone-file.ts'
import { arrayFileName } from '../arrays/file-name.ts'
import { refuseWithoutSpace } from '../files/refuse-space.ts'
import { resolveMaintained } from '../maintenance/maintenance-workspace.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import { ProgressTracker } from '../migration/job-progress.ts'
import { underLock } from '../migration/under-lock.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { checkGiven } from '../options/check-options.ts'
import { jobId, optionsOf, workShape } from '../options/option-schemas.ts'
import { refuseLinksFor } from '../trash/trash-places.ts'
import { type LostRows, rescuableIds } from './lost-rows.ts'
import { planOf, type RescuePlan, withLostRows } from './plan-rescue.ts'
import { rescueFile } from './rescue-file.ts'

export interface RescueOptions extends WorkOptions {
  jobId: string
}

export interface RescuedDataset {
  readonly name: string
  readonly file: string
  readonly predictions: number
  /** Elements of all their arrays. */
  readonly values: number
  /** Of their arrays, as docs/formats.md has it: the same for what the backup gave and what was read back. */
  readonly sha256: string
}

export interface RescueReport extends Pick<RescuePlan, 'predictions' | 'stay_lost' | 'marked_removed' | 'unknown_rows'> {
  readonly datasets: readonly RescuedDataset[]
  readonly duration_seconds: number
}

const Options = optionsOf<RescueOptions>({ ...workShape, jobId })

/**
 * Brings arrays back into arrays/ that only store.duckdb.bak has any more, file by file, each replaced as a whole after what came has been read
 * back and compared. Neither the backup nor the store is changed, and no row that an array file has. Killed at any instant and run again, or
 * run twice, it comes to the same. Throws what `planRescue` throws, `workspace_busy`, `store_locked`, `path_not_allowed`, `read_only`,
 * `no_space`, `verification_failed`, `write_failed`, `cancelled`; files that were finished by then stay.
 */
export const rescueArrays = async (path: string, options: RescueOptions): Promise<RescueReport> => {
  checkGiven(Options, options)
  const { root } = await resolveMaintained(path)
  const layout = layoutOf(root)
  await refuseLinksFor(layout)
  const startedAt = performance.now()
  const progress = new ProgressTracker(options.onProgress)
  const { signal } = options
  const untouched = 'Array files that were finished stay, each whole; store.duckdb.bak is untouched.'
  return underLock(layout, { jobId: options.jobId, kind: 'rescue', name: 'rescue', untouched, signal, progress }, async () => {
    progress.phase('plan', 'Comparing arrays/ with store.duckdb.bak')
    const done = await withLostRows(await resolveMaintained(root), signal, (rows) => rescue(rows, signal, progress))
    progress.phase('done', 'Done')
    return { ...done, duration_seconds: (performance.now() - startedAt) / 1000 }
  })
}

const rescue = async (
  rows: LostRows,
  signal: AbortSignal | undefined,
  progress: ProgressTracker,
): Promise<Omit<RescueReport, 'duration_seconds'>> => {
  const plan = await planOf(rows, signal)
  const { predictions, stay_lost, marked_removed, unknown_rows } = plan
  const coming = rows.datasets.filter(({ rescuable }) => rescuable > 0)
  const rescued: RescuedDataset[] = []
  if (predictions > 0) {
    refuseWithoutSpace('The rescue needs', { needed: plan.free_bytes_needed, available: plan.free_bytes_available })
    const files = Map.groupBy(coming, ({ name }) => arrayFileName(name))
    progress.expect(
      coming.map(({ name, rescuable }) => ({ name, rows: rescuable })),
      predictions,
      coming.reduce((sum, { bytes }) => sum + bytes, 0),
      files.size,
    )
    progress.phase('stage', 'Writing and comparing arrays')
    const folder = new ArrayFolder(rows.open.resolved.root)
    await folder.prepare()
    // First: a mark without a row says nothing, but a row that comes back under its mark would count as removed for good.
    await removeTombstones(folder, await rescuableIds(rows))
    for (const [name, datasets] of files) {
      const names = datasets.map((dataset) => dataset.name)
      progress.datasets(names, 'staging')
      const figures = await withLazyEngine((engine) =>
        rescueFile(rows, { folder, engine, signal }, { name, datasets }, (count) => progress.rows(names, count, 0)),
      )
      for (const dataset of datasets) {
        const { sha256 = '', values = 0 } = figures.get(dataset.name) ?? {}
        rescued.push({ name: dataset.name, file: name, predictions: dataset.rescuable, values, sha256 })
      }
      progress.datasets(names, 'done')
      progress.step()
    }
  }
  return { datasets: rescued, predictions, stay_lost, marked_removed, unknown_rows }
}
