import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isStorageError, systemCode } from '../errors.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'
import { finishRemoval, undoRemoval } from '../maintenance/finish-removal.ts'
import { isMergeDone } from '../merge/commit-merge.ts'
import { finishMerge } from '../merge/finish-merge.ts'
import { undoMerge } from '../merge/undo-merge.ts'
import { finishRestore, isRestoreDone, undoRestore } from '../trash/finish-restore.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { finishSwap, isSwapDone } from './commit-swap.ts'
import { finishRollback } from './finish-rollback.ts'
import type { Recovery } from './job-options.ts'
import { readJournal } from './journal.ts'
import { undoMigration } from './undo-migration.ts'
import { type Layout, layoutOf } from './workspace-layout.ts'

/**
 * Finishes or undoes what a job that died has left. Does nothing, and writes nothing, when there is no such job or it still runs.
 * Can itself be interrupted and repeated.
 */
export const recoverWorkspace = async (path: string): Promise<Recovery> => {
  const root = await rootOf(path)
  const layout = layoutOf(root)
  if (!(await hasLeftovers(layout))) return { recovered: false }
  const lock = await acquireUnlessBusy(root)
  if (lock === null) return { recovered: false }
  try {
    return await recoverUnderLock(layout)
  } finally {
    await lock.release()
  }
}

/** A folder with a journal is a workspace even when, in mid-swap on a disk without hard links, its store has no name. */
const rootOf = async (path: string): Promise<string> => {
  for (const folder of [path, join(path, 'workspace')]) if (await exists(layoutOf(folder).journal)) return realpath(folder)
  return (await resolveWorkspace(path)).root
}

/** As recoverWorkspace, for whoever holds the lock. */
export const recoverUnderLock = async (layout: Layout): Promise<Recovery> => {
  const journal = await readJournal(layout)
  await removeTornWrites(layout)
  if (journal === null) return { recovered: false }
  const { job_id } = journal
  if (journal.kind === 'rollback') {
    await finishRollback(layout, journal)
    return { recovered: true, job_id, outcome: 'finished' }
  }
  if (journal.kind === 'merge') {
    const done = await isMergeDone(layout, journal)
    if (done) await finishMerge(layout, journal)
    else await undoMerge(layout, journal)
    return { recovered: true, job_id, outcome: done ? 'finished' : 'undone' }
  }
  if (journal.kind === 'remove') {
    const isCommitted = journal.phase === 'commit'
    if (isCommitted) await finishRemoval(layout, journal)
    else await undoRemoval(layout, journal)
    return { recovered: true, job_id, outcome: isCommitted ? 'finished' : 'undone' }
  }
  if (journal.kind === 'restore') {
    const done = await isRestoreDone(layout, journal)
    if (done) await finishRestore(layout, journal)
    else await undoRestore(layout, journal)
    return { recovered: true, job_id, outcome: done ? 'finished' : 'undone' }
  }
  const swapped = await isSwapDone(layout, journal)
  if (swapped) await finishSwap(layout, journal)
  else await undoMigration(layout, journal)
  return { recovered: true, job_id, outcome: swapped ? 'finished' : 'undone' }
}

const hasLeftovers = async (layout: Layout): Promise<boolean> =>
  (await exists(layout.journal)) || (await namesIn(layout.control)).some((name) => name.startsWith('lock') || isTornWrite(name))

const isTornWrite = (name: string): boolean => /^\.\d+-[0-9a-f-]{36}\.tmp$/.test(name)

const removeTornWrites = async (layout: Layout): Promise<void> => {
  for (const name of await namesIn(layout.control)) if (isTornWrite(name)) await unlinkIfThere(join(layout.control, name))
}

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

const acquireUnlessBusy = async (root: string) => {
  try {
    return await acquireWorkspaceLock(root, { jobId: 'recover', kind: 'recover' })
  } catch (error) {
    if (isStorageError(error, 'workspace_busy')) return null
    throw error
  }
}
