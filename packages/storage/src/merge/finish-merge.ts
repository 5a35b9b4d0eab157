import { dirname, join } from 'node:path'
import { ArrayFolder } from '../array-store/array-folder.ts'
import { withLazyEngine } from '../array-store/lazy-engine.ts'
import { dropRemovedElsewhere, findRemovedElsewhere } from '../array-store/removed-elsewhere.ts'
import { clearSaved } from '../array-store/tombstone-file.ts'
import { readTombstones, tombstonesName } from '../arrays/tombstones.ts'
import { removeTree, rename, syncFolder } from '../files/disk.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { writeJsonDurably } from '../files/write-durably.ts'
import { removeJournal, writeJournal } from '../migration/journal.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { type MergeJournal, mergePlaces } from './merge-journal.ts'

/** Says that nothing is taken back any more, where no row of the store would tell: arrays and models alone have come. */
export const noteMerged = async (layout: Layout, journal: MergeJournal): Promise<MergeJournal> => {
  if (journal.evidence !== null) return journal
  const done: MergeJournal = { ...journal, phase: 'done' }
  await writeJournal(layout, done)
  return done
}

/**
 * After the transaction: marks the arrays of what gave way as removed, puts the record in its place, tidies up, takes the marks off what came.
 * Can be repeated.
 */
export const finishMerge = async (layout: Layout, journal: MergeJournal): Promise<void> => {
  const places = mergePlaces(layout, journal.job_id)
  // The rows may be in a log whose name nobody has flushed.
  await syncFolder(layout.root)
  if (journal.gone.length > 0) await markRemoved(layout, journal, places.tombstones)
  if (await exists(places.draft)) await rename(places.draft, places.record)
  await removeTree(places.folder)
  // All of it is on the disk before the journal goes, the names that have gone included.
  if (await exists(places.merges)) await syncFolder(places.merges)
  // Only now: where no row tells that the merge is done, an undo would bring back the rows that a mark hides.
  if (journal.returned.length > 0) await takeMarksOff(layout, journal)
  await removeJournal(layout)
}

const takeMarksOff = (layout: Layout, { returned }: MergeJournal): Promise<void> =>
  withLazyEngine(async (engine) => {
    const context = { folder: new ArrayFolder(layout.root), engine }
    await dropRemovedElsewhere(context, await findRemovedElsewhere(context, returned))
    await clearSaved(
      context.folder,
      returned.map(({ prediction_id }) => prediction_id),
    )
  })

const markRemoved = async (layout: Layout, { gone }: MergeJournal, beside: string): Promise<void> => {
  if (!(await exists(layout.arrays))) return
  const tombstones = new Map(await readTombstones(layout.arrays))
  const missing = gone.filter((id) => !tombstones.has(id))
  if (missing.length === 0) return
  const now = new Date().toISOString().replace('Z', '+00:00')
  for (const id of missing) tombstones.set(id, now)
  await unlinkIfThere(beside)
  await writeJsonDurably(beside, asObject(tombstones))
  await rename(beside, join(layout.arrays, tombstonesName))
  await syncFolder(dirname(beside))
  await syncFolder(layout.arrays)
}

/** An id `__proto__` is a key like any other. */
const asObject = (entries: ReadonlyMap<string, string>): unknown => {
  const object: unknown = Object.create(null)
  if (object !== null && typeof object === 'object') for (const [id, time] of entries) Reflect.set(object, id, time)
  return object
}
