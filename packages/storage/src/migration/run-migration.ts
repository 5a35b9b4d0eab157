import { largestBatch, type MigrationReport } from '@nirs-workspace/types'
import * as z from 'zod'
import { interruptible } from '../engine/engine-lane.ts'
import { limitMemory, withEnoughMemory } from '../engine/enough-memory.ts'
import { withEngine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { makeFolder, syncFolder } from '../files/disk.ts'
import { markWithoutHash } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import { refuseWithoutSpace } from '../files/refuse-space.ts'
import { checkGiven } from '../options/check-options.ts'
import { jobId, maybeText, optionsOf, workShape } from '../options/option-schemas.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { commitSwap, finishSwap, isSwapDone, type StoreIdentity, storeIdentity } from './commit-swap.ts'
import { hashOriginal } from './hash-original.ts'
import type { MigrationOptions } from './job-options.ts'
import { ProgressTracker } from './job-progress.ts'
import { beginJournal, type MigrateJournal } from './journal.ts'
import { type ArraySizes, measureArrays, measureSample, measureSpace, stretchesByDataset, uncompressed } from './measure-arrays.ts'
import { type DuckdbWorkspace, measureOthers, resolveMigratable } from './plan-migration.ts'
import { prepareSwap, type SwapContext } from './prepare-swap.ts'
import { refuseLayout, refuseLinkedStore } from './refuse-layout.ts'
import { refuseStalePlan } from './refuse-stale-plan.ts'
import { sourceAlias } from './source-tables.ts'
import { defaultRowGroup } from './stage-file.ts'
import { type Survey, surveyStore } from './survey-store.ts'
import { underLock } from './under-lock.ts'
import { undoMigration } from './undo-migration.ts'
import { OddityFinder } from './value-warnings.ts'
import { compactTime, layoutOf, placesOf } from './workspace-layout.ts'

const batchSize = z.number().int().min(1).max(largestBatch).optional()
const Options = optionsOf<MigrationOptions>({ ...workShape, jobId, planId: maybeText, batchSize })

/**
 * Moves the arrays of a legacy or half-migrated workspace to Parquet files: plan, stage, verify every value, commit by one swap. The store
 * stays attached read-only from before the first read until after the swap, so that no writer can get in. Whatever stops it before the
 * swap leaves the workspace as it was.
 */
export const runMigration = async (path: string, options: MigrationOptions): Promise<MigrationReport> => {
  checkGiven(Options, options)
  const { root } = await resolveMigratable(path)
  const layout = layoutOf(root)
  placesOf(layout, options.jobId)
  await refuseLayout(layout)
  await refuseLinkedStore(layout)
  const progress = new ProgressTracker(options.onProgress)
  return underLock(layout, { jobId: options.jobId, kind: 'migrate', signal: options.signal, progress }, async () =>
    migrate(await resolveMigratable(root), options, progress),
  )
}

const migrate = async (workspace: DuckdbWorkspace, options: MigrationOptions, progress: ProgressTracker): Promise<MigrationReport> => {
  const original = await storeIdentity(layoutOf(workspace.root))
  // Writers take as much again as the engine's own limit: together the job stays below 1.5 GB.
  return withEngine({ memoryLimit: '400MB', threads: 1 }, (engine) =>
    withAttachedStore(engine, workspace.duckdb, sourceAlias, async () => {
      const startedAt = performance.now()
      if (options.planId !== undefined) await refuseStalePlan(workspace, options.planId)
      progress.phase('plan', 'Reading what there is')
      const hashing = hashOriginal(layoutOf(workspace.root), options.signal)
      try {
        const survey = await interruptible(engine, options.signal, () => withEnoughMemory(engine, () => surveyStore(engine, workspace)))
        try {
          return await migrateSurveyed({ engine, workspace, survey, hashing, original, progress, startedAt }, options)
        } finally {
          await survey.close()
        }
      } finally {
        await hashing.stop()
      }
    }),
  )
}

type Surveyed = Pick<SwapContext, 'engine' | 'workspace' | 'survey' | 'hashing' | 'progress' | 'startedAt'> & { original: StoreIdentity }

const migrateSurveyed = async ({ original, ...context }: Surveyed, options: MigrationOptions): Promise<MigrationReport> => {
  const { engine, workspace, survey } = context
  const { tables, tableRows, datasets } = survey
  const sizes = await withEnoughMemory(engine, () => measureArrays(engine, tables, tableRows, stretchesByDataset(datasets, tableRows)))
  await limitMemory(engine, memoryFor(survey, sizes))
  const others = await measureOthers(workspace, survey, sizes)
  // What fits uncompressed needs no sample, which takes longer than all else that is looked at beforehand.
  const { needed, available } = await measureSpace(workspace.root, sizes, uncompressed, others)
  if (needed > available) {
    const sample = await measureSample(engine, tables, sizes, tableRows)
    refuseWithoutSpace('The migration needs', await measureSpace(workspace.root, sizes, sample, others))
  }
  options.signal?.throwIfAborted()
  const journal = await newJournal(workspace, options.jobId)
  const rowGroup = options.batchSize ?? defaultRowGroup
  return underJournal(workspace, journal, original, context.progress, () =>
    prepareSwap({ ...context, sizes, journal, rowGroup, oddities: new OddityFinder(), signal: options.signal }),
  )
}

/** Rows are streamed. What grows with their number is the index of the new store, with their width what is read at a time. */
const memoryFor = (survey: Survey, sizes: ArraySizes): number => {
  const widest = Math.max(0, ...Array.from(sizes.datasets.values(), ({ bytes, rows }) => bytes / rows))
  return smallestLimit + 1000 * survey.tableRows + 8 * 2048 * widest
}

const smallestLimit = 400e6

const newJournal = async (workspace: DuckdbWorkspace, jobId: string): Promise<MigrateJournal> => {
  const layout = layoutOf(workspace.root)
  const now = new Date()
  const backup = `store.duckdb.${compactTime(now)}.bak`
  if (await exists(`${workspace.root}/${backup}`)) {
    throw new StorageError('workspace_busy', `${backup} exists already. Nothing was changed.`, { hint: 'Try again in a second.' })
  }
  return {
    format: 'nirs-workspace/journal/1',
    kind: 'migrate',
    job_id: jobId,
    phase: 'prepare',
    started_at: now.toISOString(),
    arrays_created: !(await exists(layout.arrays)),
    original: { ...(await markWithoutHash(layout.store)), sha256: '' },
    backup,
    backup_wal: (await exists(layout.wal)) ? `${backup}.wal` : null,
    placed: [],
    removed: [],
    unmarked: [],
  }
}

/** Runs the part that writes: everything it makes is known from the journal before it is made. */
const underJournal = async (
  workspace: DuckdbWorkspace,
  journal: MigrateJournal,
  original: StoreIdentity,
  progress: ProgressTracker,
  prepare: () => Promise<{ journal: MigrateJournal; report: MigrationReport }>,
): Promise<MigrationReport> => {
  const layout = layoutOf(workspace.root)
  const places = placesOf(layout, journal.job_id)
  let prepared: { journal: MigrateJournal; report: MigrationReport } | undefined
  await beginJournal(layout, journal)
  try {
    // The journal's folder must be there before anything it speaks of is.
    await syncFolder(layout.root)
    for (const folder of [layout.arrays, places.staging, layout.migrations, places.folder]) await makeFolder(folder)
    await syncFolder(layout.root)
    prepared = await prepare()
    progress.phase('commit', 'Putting the new store and the array files in their places')
    await commitSwap(layout, prepared.journal, original)
  } catch (error) {
    const isDone = await settle(workspace, prepared === undefined ? journal : { ...prepared.journal, phase: 'commit' }, error)
    if (!isDone || prepared === undefined) throw error
  }
  progress.phase('done', 'Migrated')
  return prepared.report
}

/** After a failure: takes everything back, or finishes when only tidying up after the swap has failed; says which. */
const settle = async (workspace: DuckdbWorkspace, journal: MigrateJournal, cause: unknown): Promise<boolean> => {
  const layout = layoutOf(workspace.root)
  const isSwapped = await isSwapDone(layout, journal)
  try {
    if (isSwapped) await finishSwap(layout, journal)
    else await undoMigration(layout, journal)
    return isSwapped
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const done = isSwapped ? 'The migration is complete' : 'The migration failed and the original is untouched'
    throw new StorageError(
      'write_failed',
      `${done}, but tidying up was not possible (${reason}). It is done when the workspace is next opened.`,
      { hint: 'Check the disk and its free space, then open the workspace again.' },
      cause,
    )
  }
}
