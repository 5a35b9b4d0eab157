import { join } from 'node:path'
import { removeEmptyFolder, removeTree, rename, syncFolder, unlink } from '../files/disk.ts'
import { isSameFile } from '../files/hash-file.ts'
import { exists, isSameInode, unlinkIfThere } from '../files/move-file.ts'
import { takeBack } from '../files/take-back.ts'
import { type MigrateJournal, removeJournal } from './journal.ts'
import { type Layout, placesOf } from './workspace-layout.ts'

/** Takes back everything that a migration did before its swap. Can be repeated; the journal goes last. */
export const undoMigration = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  const places = placesOf(layout, journal.job_id)
  if (journal.phase === 'commit') await undoCommit(layout, journal)
  await removeTree(places.staging)
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
  if (journal.arrays_created) await removeEmptyFolder(layout.arrays)
  await removeTree(places.folder)
  await removeEmptyFolder(layout.migrations)
  await syncFolder(layout.root)
  // Last, and only when all else is on the disk: without the new store under its own name a commit looks further on than it was.
  for (const path of [`${places.newStore}.wal`, `${places.newStore}.tmp`, places.newStore]) await unlinkIfThere(path)
  await syncFolder(layout.root)
  await removeJournal(layout)
}

const undoCommit = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  const at = (path: string) => join(layout.root, path)
  const backup = at(journal.backup)
  // Where links are impossible the original was moved, and the swap did not follow.
  if (!(await exists(layout.store)) && (await exists(backup))) await rename(backup, layout.store)
  if (journal.backup_wal !== null) await undoName(layout.wal, at(journal.backup_wal))
  // Somebody has written to the original in the meantime: the arrays may now be needed where they are. All of them stay.
  if (await isSameFile(layout.store, journal.original)) await takeFilesBack(layout, journal)
  if (await isSameInode(backup, layout.store)) await unlink(backup)
  // nirs4all has made a store.sqlite of the original and keeps it: under its old name it would be a second store.
  if (await isSameInode(layout.converted.kept, layout.store)) await unlink(layout.store)
  await syncFolder(layout.root)
}

const undoName = async (path: string, backup: string): Promise<void> => {
  if (await isSameInode(path, backup)) await unlink(backup)
  else if (!(await exists(path)) && (await exists(backup))) await rename(backup, path)
}

const takeFilesBack = async (layout: Layout, journal: MigrateJournal): Promise<void> => {
  const at = (path: string) => join(layout.root, path)
  await takeBack(layout.root, journal.placed)
  for (const { target, replaced } of journal.removed) {
    if ((await exists(at(replaced))) && !(await exists(at(target)))) await rename(at(replaced), at(target))
  }
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
}
