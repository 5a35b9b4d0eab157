import { join } from 'node:path'
import { ArrayFolder } from '../array-store/array-folder.ts'
import { idsInFiles } from '../array-store/ids-in-files.ts'
import { withLazyEngine } from '../array-store/lazy-engine.ts'
import { clearSaved } from '../array-store/tombstone-file.ts'
import { tombstonesName } from '../arrays/tombstones.ts'
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

/**
 * As `giveNamesBack`, with the list of removed predictions, which must hide nothing of the array files that stay. What it has hidden of files that
 * are away does not come back beside them either: it would count instead. Tells whether something is kept.
 */
const giveBack = (layout: Layout, { placed, removed, unmarked }: MigrateJournal): Promise<boolean> =>
  withLazyEngine(async (engine) => {
    const context = { folder: new ArrayFolder(layout.root), engine }
    const staying = await stayingFiles(layout, placed)
    const seen = await idsInFiles(context, staying, new Set(unmarked))
    const away: string[] = []
    for (const { target, replaced } of removed) {
      if (isList(target) || !(await exists(join(layout.root, replaced)))) continue
      if ((await idsInFiles(context, [replaced], seen)).size > 0) away.push(replaced)
    }
    const isKept = await giveNamesBack(
      layout,
      [...placed, ...removed].filter(({ replaced }) => replaced === null || !away.includes(replaced)),
    )
    await clearSaved(context.folder, seen)
    return isKept || away.length > 0
  })

/** What the migration has put into arrays/, or others have made of it, and that nothing from before has taken the place of again. */
const stayingFiles = async (layout: Layout, placed: MigrateJournal['placed']): Promise<string[]> => {
  const staying: string[] = []
  for (const { target, replaced } of placed) {
    const at = join(layout.root, target)
    if (isList(target) || !(await exists(at))) continue
    const before = replaced === null ? null : join(layout.root, replaced)
    if (before === null || ((await exists(before)) && !(await isSameInode(at, before)))) staying.push(target)
  }
  return staying
}

const isList = (target: string): boolean => target === `arrays/${tombstonesName}`

interface FileFromBefore {
  readonly target: string
  readonly replaced: string | null
}

/** Array files from before get their names back wherever nobody else has taken them. Tells whether one could not. */
const giveNamesBack = async (layout: Layout, files: readonly FileFromBefore[]): Promise<boolean> => {
  let isKept = false
  for (const file of files) {
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
const removeProof = async ({ folder, replaced }: JobPlaces): Promise<void> => {
  for (const name of [proofName, proofCopyName]) await unlinkIfThere(join(folder, name))
  // What has left it is not to come back either.
  await syncFolder(replaced)
  await syncFolder(folder)
}
