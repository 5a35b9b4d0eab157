import { dirname, join } from 'node:path'
import type { MergeReport } from '@nirs-workspace/types'
import { readTombstones } from '../arrays/tombstones.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { makeFolder, syncFolder } from '../files/disk.ts'
import { identityOf } from '../files/file-identity.ts'
import { exists } from '../files/move-file.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { toWriteError } from '../files/write-error.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import { ProgressTracker } from '../migration/job-progress.ts'
import { beginJournal } from '../migration/journal.ts'
import { refuseLinkedWay } from '../migration/refuse-layout.ts'
import { underLock } from '../migration/under-lock.ts'
import { type Layout, layoutOf, placesOf } from '../migration/workspace-layout.ts'
import { checkGiven, checkTexts } from '../options/check-options.ts'
import { jobId, maybeText, optionsOf, workShape } from '../options/option-schemas.ts'
import { refuseLinksFor } from '../trash/trash-places.ts'
import { fingerprintWorkspace } from '../workspace/fingerprint-workspace.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { commitJournal, commitMerge, isMergeDone } from './commit-merge.ts'
import { createWorkspace } from './create-target.ts'
import { findReturned } from './find-returned.ts'
import { finishMerge, noteMerged } from './finish-merge.ts'
import { refuseSmallDisk } from './free-space.ts'
import { keepReplaced, trashOperation } from './keep-replaced.ts'
import { type LaterRows, readLaterTables } from './later-tables.ts'
import { type MergeJournal, mergePlaces } from './merge-journal.ts'
import { describeMerge, isNothing } from './merge-report.ts'
import { type MergeRequest, type OpenMerge, withMerge } from './open-merge.ts'
import { requestOf, requestShape } from './plan-merge.ts'
import { refuseNested } from './refuse-nested.ts'
import { rewriteReferences } from './rewrite-references.ts'
import { type StagedArrays, stageArrays } from './stage-arrays.ts'
import { type StagedModels, stageModels } from './stage-models.ts'
import { resolveTarget } from './target-workspace.ts'
import { undoMerge } from './undo-merge.ts'

export interface MergeStoresOptions extends Omit<Partial<MergeRequest>, 'signal'>, WorkOptions {
  readonly jobId: string
  /** The target may be a path where nothing is yet. Default false. */
  readonly create?: boolean | undefined
  /** Refuse with `plan_stale` when the workspaces no longer are what this plan was made from. */
  readonly planId?: string | undefined
}

const Options = optionsOf<MergeStoresOptions>({ ...requestShape, ...workShape, jobId, planId: maybeText })

/**
 * Merges workspaces of any generation, in this order, into one with a `store.duckdb`: predictions with their arrays, and the runs, pipelines,
 * chains, models, logs and projects that they belong to. Sources are only read. What gives way goes to the trash. Whatever stops the merge
 * before its transaction leaves the target as it was.
 */
export const mergeStores = async (target: string, sources: readonly string[], options: MergeStoresOptions): Promise<MergeReport> => {
  checkGiven(Options, options)
  checkTexts('sources', sources)
  const found = await resolveTarget(target, options.create === true)
  await refuseNested(found.path, sources)
  placesOf(layoutOf(found.path), options.jobId)
  if (found.resolved === null) return mergeIntoNew(found.path, sources, options)
  return withTarget(found.resolved.root, options, (resolved) =>
    withMerge(resolved, sources, requestOf(options), (merge) => runMerge(merge, resolved, options)),
  )
}

/** What is wrong with the sources or the plan shows before the target is made; what was worked out for nothing holds for an empty store. */
const mergeIntoNew = (path: string, sources: readonly string[], options: MergeStoresOptions): Promise<MergeReport> =>
  withMerge(null, sources, requestOf(options), async (merge) => {
    await refuseStale(merge, options.planId)
    await makeTarget(path, options.jobId)
    const made = await identityOf(layoutOf(path).store)
    try {
      return await withTarget(path, options, async (resolved) => {
        const { store, wal } = layoutOf(resolved.root)
        if ((await identityOf(store)) !== made || (await exists(wal))) throw noLongerEmpty(path)
        const target = { resolved, fingerprint: await fingerprintWorkspace(resolved) }
        return runMerge({ ...merge, target }, resolved, options, true)
      })
    } catch (error) {
      throw isStorageError(error) ? andTargetStays(error, path) : error
    }
  })

const makeTarget = async (path: string, jobId: string): Promise<void> => {
  const lock = await acquireWorkspaceLock(path, { jobId, kind: 'merge' })
  try {
    await createWorkspace(path)
  } catch (error) {
    throw toWriteError(error, 'No workspace was made; at most an empty folder is there.')
  } finally {
    await lock.release()
  }
}

const noLongerEmpty = (path: string) =>
  new StorageError('plan_stale', 'Another program has written to the workspace that was made for the merge. Nothing was merged.', {
    path,
    hint: 'Merge again, into the workspace that is there.',
  })

const andTargetStays = (error: StorageError, path: string) =>
  new StorageError(error.code, `${error.message} The workspace that was made for the merge stays at ${path}.`, error.fields, error)

const untouched = 'What had come from the sources was taken away again; they are untouched, and so is what the target held.'

const withTarget = async (
  root: string,
  { jobId, signal }: MergeStoresOptions,
  work: (target: ResolvedWorkspace) => Promise<MergeReport>,
): Promise<MergeReport> => {
  const layout = layoutOf(root)
  await refuseLinksFor(layout)
  return underLock(layout, { jobId, kind: 'merge', name: 'merge', untouched, signal, tellsWarnings: true }, async (left) => {
    const { resolved } = await resolveTarget(root, false)
    if (resolved === null) throw new StorageError('workspace_not_found', `${root} is no longer there.`, { path: root })
    const report = await work(resolved)
    return { ...report, warnings: [...left, ...report.warnings] }
  })
}

const runMerge = async (
  merge: OpenMerge,
  target: ResolvedWorkspace,
  options: MergeStoresOptions,
  created = false,
): Promise<MergeReport> => {
  const progress = new ProgressTracker(options.onProgress)
  const startedAt = performance.now()
  await refuseStale(merge, options.planId)
  // A damaged list could not be added to after the commit.
  await readTombstones(target.arrays)
  const layout = layoutOf(target.root)
  const journal = await newJournal(layout, options.jobId)
  const outcome = await underJournal(merge, target, journal, progress, created)
  const seconds = (performance.now() - startedAt) / 1000
  return describeMerge(merge, {
    ...outcome,
    jobId: options.jobId,
    target: target.root,
    created,
    seconds,
    record: mergePlaces(layout, options.jobId).record,
  })
}

const refuseStale = async (merge: OpenMerge, planId: string | undefined): Promise<void> => {
  if (planId === undefined || planId === merge.digest) return
  throw new StorageError('plan_stale', 'A workspace has changed since the preview. Nothing was changed.', {
    hint: 'Look at a new preview and start again from there.',
  })
}

const newJournal = async (layout: Layout, jobId: string): Promise<MergeJournal> => ({
  format: 'nirs-workspace/journal/1',
  kind: 'merge',
  job_id: jobId,
  phase: 'prepare',
  started_at: new Date().toISOString(),
  arrays_created: !(await exists(layout.arrays)),
  artifacts_created: !(await exists(`${layout.root}/artifacts`)),
  placed: [],
  models: [],
  evidence: null,
  mark: null,
  gone: [],
  returned: [],
  trash: trashOperation(jobId),
})

export interface Outcome {
  readonly arrays: readonly StagedArrays[]
  readonly models: StagedModels
  readonly trash: string | null
}

/** Runs the part that writes: everything it makes is known from the journal before it is made. */
const underJournal = async (
  merge: OpenMerge,
  target: ResolvedWorkspace,
  journal: MergeJournal,
  progress: ProgressTracker,
  created: boolean,
): Promise<Outcome | null> => {
  const later = await readLaterTables(merge)
  if (later.length === 0 && (await isNothing(merge))) return null
  await refuseSmallDisk(merge, target)
  const layout = layoutOf(target.root)
  let commit: MergeJournal | null = null
  let outcome: Outcome | null = null
  await beginJournal(layout, journal)
  try {
    const prepared = await prepare(merge, target, layout, { journal, later }, progress, created)
    outcome = prepared.outcome
    commit = prepared.journal
    progress.phase('commit', 'Putting the rows into the store')
    await commitMerge(merge, target, layout, commit, outcome.arrays, later)
    commit = await noteMerged(layout, commit)
    await finishMerge(layout, commit)
  } catch (error) {
    const isDone = await settle(layout, commit ?? journal, error)
    if (!isDone || outcome === null) throw error
  }
  progress.phase('done', 'Merged')
  return outcome
}

const prepare = async (
  merge: OpenMerge,
  target: ResolvedWorkspace,
  layout: Layout,
  { journal, later }: { readonly journal: MergeJournal; readonly later: readonly LaterRows[] },
  progress: ProgressTracker,
  created: boolean,
) => {
  const places = mergePlaces(layout, journal.job_id)
  await syncFolder(layout.root)
  for (const folder of [places.merges, places.folder, places.staging, places.models]) await makeFolder(folder)
  await syncFolder(layout.root)
  progress.phase('plan', 'Copying models')
  const models = await stageModels(merge, places.models)
  // None must leave the workspace by a link, nor find a file where its folder would be.
  for (const { path } of models.files) await refuseLinkedWay(layout, dirname(join(layout.root, 'artifacts', path)))
  await rewriteReferences(merge)
  const returned = await findReturned(merge)
  const arrays = await stageArrays(merge, places.staging, returned, progress)
  const kept = await keepReplaced(merge, target, places.trash, journal.trash ?? '')
  merge.request.signal?.throwIfAborted()
  await refuseChangedSources(merge)
  const outcome: Outcome = { arrays, models, trash: kept.operation }
  const about = { ...outcome, jobId: journal.job_id, target: target.root, created, seconds: 0, record: places.record }
  const { duration_seconds: _, ...record } = await describeMerge(merge, about)
  await writeJsonDurably(places.draft, { format: 'nirs-workspace/merge/1', created_at: new Date().toISOString(), ...record })
  for (const folder of [places.folder, places.merges, layout.control, layout.root]) await syncFolder(folder)
  return {
    outcome,
    journal: await commitJournal(merge, layout, journal, {
      arrays,
      models: models.files,
      gone: kept.marks,
      returned,
      later,
      trash: kept.operation,
    }),
  }
}

/** Metadata and arrays of a source must be of one moment. */
const refuseChangedSources = async ({ sources }: OpenMerge): Promise<void> => {
  for (const { resolved, fingerprint } of sources) {
    if ((await fingerprintWorkspace(resolved)) === fingerprint) continue
    throw new StorageError('plan_stale', `${resolved.name} has changed while it was read. Nothing was changed in the target.`, {
      path: resolved.parquet ?? resolved.root,
      hint: 'Merge again when nothing else works on it.',
    })
  }
}

/** After a failure: takes everything back, or finishes when only what follows the transaction has failed; says which. */
const settle = async (layout: Layout, journal: MergeJournal, cause: unknown): Promise<boolean> => {
  let isDone = false
  try {
    isDone = await isMergeDone(layout, journal)
    if (isDone) await finishMerge(layout, journal)
    else await undoMerge(layout, journal)
    return isDone
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const state = isDone ? 'The merge is complete' : 'The merge failed and the rows of the target are untouched'
    throw new StorageError(
      'write_failed',
      `${state}, but tidying up was not possible (${reason}). It is done when the workspace is next opened.`,
      {
        hint: 'Check the disk and its free space, then open the workspace again.',
      },
      cause,
    )
  }
}
