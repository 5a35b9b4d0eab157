import { randomUUID } from 'node:crypto'
import { type MaintenanceApplied, MaintenancePlan } from '@nirs-workspace/types'
import { isStorageError, StorageError } from '../errors.ts'
import { syncFolder } from '../files/disk.ts'
import type { WorkspaceLock } from '../files/workspace-lock.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import { ProgressTracker } from '../migration/job-progress.ts'
import { beginJournal, writeJournal } from '../migration/journal.ts'
import { underLock } from '../migration/under-lock.ts'
import { compactTime, type Layout, layoutOf, placesOf } from '../migration/workspace-layout.ts'
import { checkGiven, parseGiven } from '../options/check-options.ts'
import { lock as givenLock, jobId, optionsOf, workShape } from '../options/option-schemas.ts'
import { fillTrash } from '../trash/fill-trash.ts'
import type { Contents } from '../trash/trash-manifest.ts'
import { refuseLinksFor, trashPlaces } from '../trash/trash-places.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { applyCompact } from './apply-compact.ts'
import { finishRemoval, knownStill, removeRest, undoRemoval } from './finish-removal.ts'
import { type OpenWorkspace, resolveMaintained, withWriting } from './maintenance-workspace.ts'
import { refuseDamagedList, workOut } from './make-plan.ts'
import { openArrays } from './open-arrays.ts'
import type { RemovalJournal } from './removal-journal.ts'
import type { Selection } from './selection.ts'

export interface ApplyOptions extends WorkOptions {
  jobId: string
  /** The workspace lock, when the caller holds it. */
  lock?: WorkspaceLock | undefined
}

/**
 * Does exactly what a plan says. What goes is copied to the trash and read back before anything is removed; a kill at any instant leaves
 * everything or is carried through when the workspace is next opened for writing. Throws `plan_stale` when the workspace has changed since
 * the plan was made, `tombstones_corrupt`, `workspace_busy`, `store_locked`, `write_failed`, `cancelled`.
 */
export const applyPlan = async (path: string, plan: MaintenancePlan, options: ApplyOptions): Promise<MaintenanceApplied> => {
  const checked = parseGiven(MaintenancePlan, plan, { name: 'the plan' })
  checkGiven(Options, options)
  const { root } = await resolveMaintained(path)
  const layout = layoutOf(root)
  placesOf(layout, options.jobId)
  const startedAt = performance.now()
  const progress = new ProgressTracker(options.onProgress)
  await refuseLinksFor(layout)
  const { lock, signal } = options
  return underLock(
    layout,
    { jobId: options.jobId, kind: checked.kind, name: 'job', lock, signal, progress, tellsWarnings: true },
    async (left) => {
      const resolved = await resolveMaintained(root)
      await refuseDamagedList(resolved, checked.request)
      if ((await fingerprintWorkspace(resolved)) !== checked.fingerprint) throw stale()
      const done =
        checked.request.kind === 'compact'
          ? { ...(await applyCompact(resolved, checked, options, progress)), operation: null }
          : { report: checked.report, ...(await remove(resolved, checked, options, progress)) }
      progress.phase('done', 'Done')
      const { plan_id, kind, digest, counts, items_total } = checked
      const warnings = [...checked.warnings, ...left, ...done.warnings]
      const duration_seconds = (performance.now() - startedAt) / 1000
      return { plan_id, kind, digest, counts, items_total, warnings, report: done.report, operation_id: done.operation, duration_seconds }
    },
  )
}

const Options = optionsOf<ApplyOptions>({ ...workShape, jobId, lock: givenLock })

interface Removed {
  /** In the trash; null when there was nothing to remove. */
  readonly operation: string | null
  /** What stayed all the same. */
  readonly warnings: readonly string[]
}

const remove = async (
  resolved: ResolvedWorkspace,
  plan: MaintenancePlan,
  options: ApplyOptions,
  progress: ProgressTracker,
): Promise<Removed> => {
  const layout = layoutOf(resolved.root)
  const operation = `${plan.kind.replaceAll('_', '-')}-${compactTime(new Date())}-${randomUUID().slice(0, 8)}`
  const journal: RemovalJournal = {
    format: 'nirs-workspace/journal/1',
    kind: 'remove',
    job_id: options.jobId,
    phase: 'prepare',
    started_at: new Date().toISOString(),
    operation,
  }
  const state: RemovalState = { journal: null }
  try {
    const removed = await withWriting(resolved, new Date(plan.created_at), async (open) => {
      progress.phase('plan', 'Comparing the workspace with the plan')
      const again = await workOut(open, plan.request, plan.fingerprint)
      if (again.plan.digest !== plan.digest) throw stale()
      if (plan.items_total === 0) return null
      options.signal?.throwIfAborted()
      return removeRows({ open, layout, plan, journal, state, options, progress, selection: again.selection })
    })
    if (removed === null) return { operation: null, warnings: [] }
    return { operation, warnings: await removeRest(layout, removed.contents, removed.known) }
  } catch (error) {
    const warnings = await settle(layout, state, error)
    if (state.journal?.phase !== 'commit') throw error
    return { operation, warnings }
  }
}

/** How far a removal has come: what its journal says on the disk, as far as is known. */
interface RemovalState {
  journal: RemovalJournal | null
}

interface Removal {
  readonly open: OpenWorkspace
  readonly layout: Layout
  readonly plan: MaintenancePlan
  readonly selection: Selection
  readonly journal: RemovalJournal
  readonly state: RemovalState
  readonly options: ApplyOptions
  readonly progress: ProgressTracker
}

interface RowsRemoved {
  readonly contents: Contents
  readonly known: ReadonlySet<string>
}

const removeRows = async ({ open, layout, plan, selection, journal, state, options, progress }: Removal): Promise<RowsRemoved> => {
  await beginJournal(layout, journal)
  state.journal = journal
  await syncFolder(layout.root)
  progress.phase('stage', 'Copying what goes to the trash')
  const places = trashPlaces(layout, journal.operation)
  const arrays = openArrays(layout.root, { signal: options.signal })
  const { contents, figures } = await fillTrash({ open, arrays, places, operation: journal.operation, plan, selection })
  options.signal?.throwIfAborted()
  progress.phase('commit', 'Removing')
  const commit: RemovalJournal = { ...journal, phase: 'commit' }
  await writeJournal(layout, commit)
  state.journal = commit
  if (contents.tables.length > 0) await open.metadata.deleteRows(contents.tables, figures)
  return { contents, known: await knownStill(layout, contents, open.metadata) }
}

/** After a failure: takes everything back, or carries through what has begun to be removed. */
const settle = async (layout: Layout, { journal }: RemovalState, cause: unknown): Promise<string[]> => {
  if (journal === null) return []
  const isCommitted = journal.phase === 'commit'
  try {
    if (isCommitted) return await finishRemoval(layout, journal)
    await undoRemoval(layout, journal)
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const where = isCommitted ? 'Everything to be removed is in the trash, but removing it' : 'Nothing was removed, but tidying up'
    throw new StorageError(
      'write_failed',
      `${where} was not possible (${reason}). It is done when the workspace is next opened for writing.`,
      { hint: 'Check the disk and its free space, then open the workspace again.' },
      isStorageError(cause) ? cause : error,
    )
  }
}

export const stale = () =>
  new StorageError('plan_stale', 'The workspace has changed since the preview. Nothing was changed.', {
    hint: 'Look at a new preview and start again from there.',
  })
