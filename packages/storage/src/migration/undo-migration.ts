import { join } from 'node:path'
import { removeEmptyFolder, removeTree, rename, syncFolder, unlink } from '../files/disk.ts'
import { isSameFile } from '../files/hash-file.ts'
import { exists, isSameInode, unlinkIfThere } from '../files/move-file.ts'
import { takeBack } from '../files/take-back.ts'
import { type MigrateJournal, removeJournal } from './journal.ts'
import { proofCopyName, proofName } from './proof-file.ts'
import { type JobPlaces, type Layout, placesOf } from './workspace-layout.ts'

/** Takes back everything that a migration did before its swap. Can be repeated; the journal goes last. */
export const undoMigration = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  const places = placesOf(layout, journal.job_id)
  const isKept = journal.phase === 'commit' && (await undoCommit(layout, journal))
  await removeTree(places.staging)
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
  if (journal.arrays_created) await removeEmptyFolder(layout.arrays)
  if (isKept) await removeProof(places)
  else await removeTree(places.folder)
  await removeEmptyFolder(layout.migrations)
  await syncFolder(layout.root)
  // Last, and only when all else is on the disk: without the new store under its own name a commit looks further on than it was.
  for (const path of [`${places.newStore}.wal`, `${places.newStore}.tmp`, places.newStore]) await unlinkIfThere(path)
  await syncFolder(layout.root)
  await removeJournal(layout)
}

/** Whether array files from before stay under `replaced/`, because what took their places stays there. */
const undoCommit = async (layout: Layout, journal: MigrateJournal): Promise<boolean> => {
  const at = (path: string) => join(layout.root, path)
  const backup = at(journal.backup)
  // Where links are impossible the original was moved, and the swap did not follow.
  if (!(await exists(layout.store)) && (await exists(backup))) await rename(backup, layout.store)
  if (journal.backup_wal !== null) await undoName(layout.wal, at(journal.backup_wal))
  // Somebody has written to the original in the meantime, or made a store.sqlite of it: the arrays may now be needed where they are. All of
  // them stay.
  if (!(await exists(layout.converted.sqlite)) && (await isSameFile(layout.store, journal.original)))
    await takeBack(layout.root, journal.placed)
  const isKept = await giveBack(layout, journal)
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
  if (await isSameInode(backup, layout.store)) await unlink(backup)
  // nirs4all has made a store.sqlite of the original and keeps it: under its old name it would be a second store.
  if (await isSameInode(layout.converted.kept, layout.store)) await unlink(layout.store)
  await syncFolder(layout.root)
  return isKept
}

const undoName = async (path: string, backup: string): Promise<void> => {
  if (await isSameInode(path, backup)) await unlink(backup)
  else if (!(await exists(path)) && (await exists(backup))) await rename(backup, path)
}

/** Array files from before get their names back wherever nobody else has taken them. Tells whether one could not. */
const giveBack = async (layout: Layout, { placed, removed }: MigrateJournal): Promise<boolean> => {
  let isKept = false
  for (const file of [...placed, ...removed]) {
    if (file.replaced === null) continue
    const [target, replaced] = [join(layout.root, file.target), join(layout.root, file.replaced)]
    if (!(await exists(replaced))) continue
    // Nothing has taken its place yet.
    if (await isSameInode(target, replaced)) await unlink(replaced)
    else if (await exists(target)) isKept = true
    else await rename(replaced, target)
  }
  return isKept
}

/** With it, a roll back would take the migration for one that was done. */
const removeProof = async ({ folder }: JobPlaces): Promise<void> => {
  for (const name of [proofName, proofCopyName]) await unlinkIfThere(join(folder, name))
  await syncFolder(folder)
}
