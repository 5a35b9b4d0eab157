import { dirname, join } from 'node:path'
import { removeEmptyFolder, removeTree, syncFolder, unlink } from '../files/disk.ts'
import { isSameFile } from '../files/hash-file.ts'
import { exists, isSameInode, moveBack } from '../files/move-file.ts'
import { removeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { namedModels } from './commit-merge.ts'
import { type MergeJournal, mergePlaces } from './merge-journal.ts'

/** Takes back everything that a merge did before its transaction. Can be repeated; the journal goes last. */
export const undoMerge = async (layout: Layout, journal: MergeJournal): Promise<void> => {
  const places = mergePlaces(layout, journal.job_id)
  if (journal.phase === 'commit') {
    await takeArraysBack(layout, journal)
    await takeModelsBack(layout, journal)
  }
  if (journal.trash !== null) await removeTree(join(places.trash, journal.trash))
  await removeEmptyFolder(places.trash)
  if (await exists(layout.arrays)) await syncFolder(layout.arrays)
  if (journal.arrays_created) await removeEmptyFolder(layout.arrays)
  await removeTree(places.folder)
  await removeEmptyFolder(places.merges)
  await syncFolder(layout.root)
  await removeJournal(layout)
}

/** A file that somebody has changed since stays: it holds their rows, and rows of the merge that no metadata knows. */
const takeArraysBack = async (layout: Layout, journal: MergeJournal): Promise<void> => {
  const at = (path: string) => join(layout.root, path)
  for (const { target, replaced, mark } of journal.placed) {
    const isOurs = await isSameFile(at(target), mark)
    if (replaced !== null && (await exists(at(replaced)))) {
      if (isOurs || !(await exists(at(target))) || (await isSameInode(at(target), at(replaced)))) await moveBack(at(replaced), at(target))
    } else if (isOurs) await unlink(at(target))
  }
}

const takeModelsBack = async (layout: Layout, journal: MergeJournal): Promise<void> => {
  const named = await namedModels(layout, journal.models)
  const folders = new Set<string>()
  for (const { target, mark } of journal.models) {
    const path = join(layout.root, target)
    folders.add(dirname(path))
    if (!named.has(target) && (await isSameFile(path, mark))) await unlink(path)
  }
  for (const folder of folders) await removeEmptyFolder(folder)
  if (journal.artifacts_created) await removeEmptyFolder(join(layout.root, 'artifacts'))
}
