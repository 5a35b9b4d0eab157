import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { deadParts, sweepParts } from '../array-store/dead-parts.ts'
import { isStorageError } from '../errors.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'
import { finishRemoval, undoRemoval } from '../maintenance/finish-removal.ts'
import { isMergeDone } from '../merge/commit-merge.ts'
import { finishMerge } from '../merge/finish-merge.ts'
import { undoMerge } from '../merge/undo-merge.ts'
import { sweepFlushes } from '../store/flush-journal.ts'
import { recoverFlush } from '../store/recover-flush.ts'
import { dropOperation, strayOperations } from '../trash/drop-operation.ts'
import { finishRestore, isRestoreDone, undoRestore } from '../trash/finish-restore.ts'
import { endVacuum } from '../vacuum/end-vacuum.ts'
import { isRealFolder, lookAtLink, namesIn } from '../workspace/look-at.ts'
import { resolveWorkspace, tellingUnreadable } from '../workspace/resolve-workspace.ts'
import { finishSwap, isSwapDone } from './commit-swap.ts'
import { resumeRollback } from './finish-rollback.ts'
import type { Recovery } from './job-options.ts'
import { type Journal, readJournal } from './journal.ts'
import { refuseLinkedPlaces } from './refuse-linked-places.ts'
import { undoMigration } from './undo-migration.ts'
import { type Layout, layoutOf } from './workspace-layout.ts'

/**
 * Finishes or undoes what a job that died has left. Does nothing, and writes nothing, when there is no such job and while it still runs;
 * waits for another time while another program is writing array files or holds a store that would have to change: `is_busy` tells those from
 * there being nothing to do. Can itself be interrupted and repeated.
 */
export const recoverWorkspace = async (path: string): Promise<Recovery> => {
  const root = await rootOf(path)
  const layout = layoutOf(root)
  if (!(await hasLeftovers(layout))) return { recovered: false }
  try {
    const lock = await acquireWorkspaceLock(root, { jobId: 'recover', kind: 'recover' })
    try {
      return await recoverUnderLock(layout)
    } finally {
      await lock.release()
    }
  } catch (error) {
    if (isStorageError(error, 'workspace_busy', 'store_locked')) return { recovered: false, is_busy: true }
    throw error
  }
}

/** A folder with a journal is a workspace even when, in mid-swap on a disk without hard links, its store has no name. */
const rootOf = (path: string): Promise<string> =>
  tellingUnreadable(path, async () => {
    for (const folder of [path, join(path, 'workspace')]) if ((await lookAtLink(layoutOf(folder).journal)) !== null) return realpath(folder)
    return (await resolveWorkspace(path)).root
  })

/** As recoverWorkspace, for whoever holds the lock. */
export const recoverUnderLock = async (layout: Layout): Promise<Recovery> => {
  const journal = await readJournal(layout)
  if (journal !== null) await refuseLinkedPlaces(layout, journal)
  await removeTornWrites(layout)
  if (await isRealFolder(layout.arrays)) await sweepParts(layout.arrays)
  if (journal !== null) return { recovered: true, job_id: journal.job_id, ...(await settleJournal(layout, journal)) }
  for (const places of await strayOperations(layout)) await dropOperation(places)
  await sweepFlushes(layout)
  return { recovered: false }
}

/** Finishes a job whose moment of no return has passed, undoes any other. */
const settleJournal = async (layout: Layout, journal: Journal): Promise<Pick<Recovery, 'outcome' | 'warnings'>> => {
  const isRemoval = journal.kind === 'remove' && journal.phase === 'commit'
  if (!isRemoval) return { outcome: await outcomeOf(layout, journal) }
  const warnings = await finishRemoval(layout, journal)
  return { outcome: 'finished', ...(warnings.length === 0 ? {} : { warnings }) }
}

const outcomeOf = async (layout: Layout, journal: Journal): Promise<'finished' | 'undone'> => {
  switch (journal.kind) {
    case 'rollback':
      await resumeRollback(layout, journal)
      return 'finished'
    case 'merge':
      return settle(await isMergeDone(layout, journal), {
        finish: () => finishMerge(layout, journal),
        undo: () => undoMerge(layout, journal),
      })
    case 'remove':
      await undoRemoval(layout, journal)
      return 'undone'
    case 'restore':
      return settle(await isRestoreDone(layout, journal), {
        finish: () => finishRestore(layout, journal),
        undo: () => undoRestore(layout, journal),
      })
    case 'flush':
      return recoverFlush(layout, journal)
    case 'vacuum':
      return (await endVacuum(layout, journal)) ? 'undone' : 'finished'
    case 'migrate':
      return settle(await isSwapDone(layout, journal), {
        finish: () => finishSwap(layout, journal),
        undo: () => undoMigration(layout, journal),
      })
  }
}

const settle = async (
  isDone: boolean,
  { finish, undo }: { finish: () => Promise<unknown>; undo: () => Promise<unknown> },
): Promise<'finished' | 'undone'> => {
  await (isDone ? finish() : undo())
  return isDone ? 'finished' : 'undone'
}

const hasLeftovers = async (layout: Layout): Promise<boolean> =>
  (await exists(layout.journal)) ||
  (await namesIn(layout.control)).some((name) => name.startsWith('lock') || isTornWrite(name)) ||
  (await strayOperations(layout)).length > 0 ||
  ((await isRealFolder(layout.arrays)) && (await deadParts(layout.arrays)).length > 0)

const isTornWrite = (name: string): boolean => /^\.\d+-[0-9a-f-]{36}\.tmp$/.test(name)

const removeTornWrites = async (layout: Layout): Promise<void> => {
  for (const name of await namesIn(layout.control)) if (isTornWrite(name)) await unlinkIfThere(join(layout.control, name))
}
