import { dirname, join } from 'node:path'
import type { RestoreReport } from '@nirs-workspace/types'
import type { ArrayOperations } from '../array-store/array-operations.ts'
import { StorageError } from '../errors.ts'
import { copyDurably, link, syncFolder } from '../files/disk.ts'
import { exists, isWithoutLinks, linkNew, unlinkIfThere } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { resolveMaintained, withMetadata } from '../maintenance/maintenance-workspace.ts'
import type { MetadataStore, SavedRows } from '../maintenance/metadata-store.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import type { RestoreJournal } from '../maintenance/removal-journal.ts'
import { countSelection } from '../maintenance/selection.ts'
import type { WorkOptions } from '../migration/job-options.ts'
import { ProgressTracker } from '../migration/job-progress.ts'
import { beginJournal } from '../migration/journal.ts'
import { refuseLinkedWay } from '../migration/refuse-layout.ts'
import { underLock } from '../migration/under-lock.ts'
import { type Layout, layoutOf, placesOf } from '../migration/workspace-layout.ts'
import { checkGiven, checkText } from '../options/check-options.ts'
import { jobId, maybeTexts, optionsOf, workShape } from '../options/option-schemas.ts'
import { findForms, refreshChains } from '../store/refresh-chains.ts'
import { chooseRestore, namesTaken, type RestoreChoice } from './check-restore.ts'
import { makeFolders } from './fill-trash.ts'
import { finishRestore, isAll, isRestoreDone, partName, undoRestore } from './finish-restore.ts'
import { chainsOfRows, readKeptFigures } from './kept-figures.ts'
import { marksToSet } from './marks-of-removal.ts'
import { modelPlace } from './model-place.ts'
import { readRestored } from './read-restored.ts'
import { type Contents, checkTrashFiles, noContents, readManifest, type TrashManifest } from './trash-manifest.ts'
import { refuseLinksFor, type TrashPlaces, trashPlaces } from './trash-places.ts'

export interface RestoreOptions extends WorkOptions {
  jobId: string
  /** Only these rows (predictions, or runs, pipelines and chains with what belongs to them) or arrays. Default: everything. */
  ids?: readonly string[] | undefined
}

const Options = optionsOf<RestoreOptions>({ ...workShape, jobId, ids: maybeTexts })

/**
 * Puts back what an operation has removed: rows as they were, arrays byte for byte, models. Chains get the figures back that they had with
 * the predictions that they have again, else those are worked out anew. The files of the trash are compared with their
 * hashes first. Rows come back in one transaction; a kill before it leaves everything in the trash. Throws `trash_not_found` (also for ids
 * that the operation has not kept), `trash_damaged`, `restore_conflict` when something else has taken the place of a row, a model or
 * arrays, or what a row belongs to is not there, `tombstones_corrupt`, `workspace_busy`, `store_locked`, `write_failed`.
 */
export const restoreTrash = async (path: string, operation: string, options: RestoreOptions): Promise<RestoreReport> => {
  checkText('operation', operation)
  checkGiven(Options, options)
  const { root } = await resolveMaintained(path)
  const layout = layoutOf(root)
  placesOf(layout, options.jobId)
  const progress = new ProgressTracker(options.onProgress)
  await readManifest(layout, operation)
  await refuseLinksFor(layout, operation)
  const { signal } = options
  return underLock(
    layout,
    { jobId: options.jobId, kind: 'restore', name: 'restore', signal, progress, tellsWarnings: true },
    async (left) => {
      const manifest = await readManifest(layout, operation)
      progress.phase('plan', 'Checking what the trash holds')
      await checkTrashFiles(layout, manifest, await readRestored(layout, operation))
      signal?.throwIfAborted()
      const { selected, warnings } = await restore(layout, manifest, options, progress)
      progress.phase('done', 'Restored')
      return {
        operation_id: operation,
        counts: countSelection(selected),
        warnings: [...left, ...warnings],
        remaining: await exists(trashPlaces(layout, operation).manifest),
      }
    },
  )
}

const restore = async (
  layout: Layout,
  manifest: TrashManifest,
  options: RestoreOptions,
  progress: ProgressTracker,
): Promise<Pick<RestoreChoice, 'selected' | 'warnings'>> => {
  const operation = manifest.operation_id
  const places = trashPlaces(layout, operation)
  const state: { journal: RestoreJournal | null } = { journal: null }
  let chosen: Pick<RestoreChoice, 'selected' | 'warnings'> = { selected: noContents, warnings: [] }
  try {
    await withMetadata(await resolveMaintained(layout.root), async (_, metadata) => {
      const { left, selected, rows, evidence, warnings } = await chooseRestore(layout, manifest, metadata, options.ids)
      const journal: RestoreJournal = {
        format: 'nirs-workspace/journal/1',
        kind: 'restore',
        job_id: options.jobId,
        phase: 'commit',
        started_at: new Date().toISOString(),
        operation,
        evidence,
      }
      chosen = { selected, warnings }
      await beginJournal(layout, journal)
      state.journal = journal
      await writeJsonDurably(places.restoring, selected)
      progress.phase('commit', 'Restoring')
      await insertAll({
        layout,
        places,
        manifest,
        metadata,
        selected,
        rows,
        arrays: openArrays(layout.root, { signal: options.signal, metadata }),
        all: left,
      })
    })
    if (state.journal === null) return chosen
    state.journal = { ...state.journal, phase: 'done' }
    await finishRestore(layout, state.journal)
  } catch (error) {
    if (state.journal === null || !(await settle(layout, places, state.journal, error))) throw error
  }
  return chosen
}

interface Restoring {
  readonly layout: Layout
  readonly places: TrashPlaces
  readonly manifest: TrashManifest
  readonly metadata: MetadataStore
  readonly selected: Contents
  readonly rows: readonly SavedRows[]
  readonly all: Contents
  readonly arrays: ArrayOperations
}

const insertAll = async (restoring: Restoring): Promise<void> => {
  const { metadata, places, rows, selected, all } = restoring
  const isLast = isAll(all, selected)
  const rest = async () => {
    const marks = await marksToSet(restoring.arrays, restoring.manifest.marked ?? [], selected.arrays)
    await appendArrays(restoring)
    if (marks.size > 0) await restoring.arrays.deleteBatch(marks)
    for (const { path } of selected.files) await putModelBack(restoring, path, isLast)
  }
  if (rows.length === 0) return rest()
  const chains = await chainsOfRows(metadata, rows)
  const touched = await findForms(metadata, chains)
  const known = new Map((await readKeptFigures(places)).map((kept) => [kept.chain_id, kept]))
  await metadata.insertRows(rows, async () => {
    await rest()
    await refreshChains(metadata, chains, touched, known)
  })
}

/** The arrays of the whole operation come from its own files; those of single items from a file of them alone. */
const appendArrays = async ({ places, manifest, selected, all, arrays }: Restoring): Promise<void> => {
  if (selected.arrays.length === 0) return
  const kept = manifest.files.filter(({ path }) => path.startsWith('arrays/')).map(({ path }) => join(places.folder, path))
  if (selected.arrays.length === all.arrays.length && !(await exists(places.restored))) {
    for (const path of kept) await arrays.appendFile(path)
    return
  }
  const part = join(places.folder, partName)
  await unlinkIfThere(part)
  await openArrays(places.folder).copyRows(new Set(selected.arrays), part)
  await arrays.appendFile(part)
  await unlinkIfThere(part)
}

const putModelBack = async ({ layout, places }: Restoring, path: string, isLast: boolean): Promise<void> => {
  const artifacts = join(layout.root, 'artifacts')
  const file = await modelPlace(layout, path)
  if (await exists(file)) return
  await makeFolders(artifacts, dirname(file))
  const kept = join(places.artifacts, path)
  await refuseLinkedWay(layout, dirname(kept))
  if (!(isLast && (await tryLink(kept, file)))) await placeCopy(kept, file, { part: join(places.folder, partName), path })
  for (let folder = dirname(file); folder.length >= layout.root.length; folder = dirname(folder)) await syncFolder(folder)
}

/** A second name, where files can have one. Only when the operation goes then: what is written under one name reaches the other. */
const tryLink = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (!isWithoutLinks(error)) throw error
    return false
  }
}

/** A model has its name only when it is whole: half of one would be taken for somebody's own. */
const placeCopy = async (from: string, to: string, { part, path }: { part: string; path: string }): Promise<void> => {
  await unlinkIfThere(part)
  await copyDurably(from, part)
  if (!(await linkNew(part, to))) throw namesTaken([path])
  await unlinkIfThere(part)
}

/** After a failure: finishes when the transaction is done, else takes everything back; says which. */
const settle = async (layout: Layout, places: TrashPlaces, journal: RestoreJournal, cause: unknown): Promise<boolean> => {
  try {
    const done = await isRestoreDone(layout, journal)
    if (done) await finishRestore(layout, journal)
    else await undoRestore(layout, journal)
    return done
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StorageError(
      'write_failed',
      `Restoring failed, and so did tidying up (${reason}). Everything is still in ${places.folder}; it is finished when the workspace is next opened for writing.`,
      { hint: 'Check the disk and its free space, then open the workspace again.' },
      cause,
    )
  }
}
