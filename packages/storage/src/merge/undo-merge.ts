import { dirname, join } from 'node:path'
import { removeEmptyFolder, removeTree, syncFolder, unlink } from '../files/disk.ts'
import { isSameFile } from '../files/hash-file.ts'
import { exists } from '../files/move-file.ts'
import { takeBack } from '../files/take-back.ts'
import { resolveMaintained, withReading } from '../maintenance/maintenance-workspace.ts'
import { removeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { namedModels } from '../trash/named-models.ts'
import { type MergeJournal, mergePlaces } from './merge-journal.ts'

/** Takes back everything that a merge did before its transaction. Can be repeated; the journal goes last. */
export const undoMerge = async (layout: Layout, journal: MergeJournal): Promise<void> => {
  const places = mergePlaces(layout, journal.job_id)
  if (journal.phase === 'commit') {
    await takeBack(layout.root, journal.placed)
    // What was put back is there under its old name on the disk before the other one goes.
    if (await exists(layout.arrays)) await syncFolder(layout.arrays)
    await takeModelsBack(layout, journal)
  }
  if (journal.trash !== null) await removeTree(join(places.trash, journal.trash))
  await removeTree(places.folder)
  // Names that have gone are gone on the disk, too, before the journal is.
  for (const folder of [places.trash, places.merges]) if (await exists(folder)) await syncFolder(folder)
  if (journal.arrays_created) await removeEmptyFolder(layout.arrays)
  await removeEmptyFolder(places.trash)
  await removeEmptyFolder(places.merges)
  await syncFolder(layout.control)
  await syncFolder(layout.root)
  await removeJournal(layout)
}

const takeModelsBack = async (layout: Layout, { models, artifacts_created }: MergeJournal): Promise<void> => {
  const named = await modelsInUse(layout, models)
  const folders = new Set<string>()
  for (const { target, mark } of models) {
    const path = join(layout.root, target)
    folders.add(dirname(path))
    if (!named.has(inArtifacts(target)) && (await isSameFile(path, mark))) await unlink(path)
  }
  const artifacts = join(layout.root, 'artifacts')
  for (const folder of folders) if (!(await removeEmptyFolder(folder)) && (await exists(folder))) await syncFolder(folder)
  if (await exists(artifacts)) await syncFolder(artifacts)
  if (artifacts_created) await removeEmptyFolder(artifacts)
}

/** Models that a row names: somebody has stored the same since, or lacked the file, which then is what the row states. */
const modelsInUse = async (layout: Layout, models: MergeJournal['models']): Promise<ReadonlySet<string>> => {
  if (models.length === 0) return new Set()
  const files = models.map(({ target }) => ({ path: inArtifacts(target) }))
  return withReading(await resolveMaintained(layout.root), (metadata) => namedModels(metadata, files))
}

const inArtifacts = (target: string): string => target.replace(/^artifacts\//, '')
