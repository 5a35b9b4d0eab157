import { syncFolder } from '../files/disk.ts'
import { exists, unlinkIfThere } from '../files/move-file.ts'
import { removeJournal } from '../migration/journal.ts'
import { type Layout, placesOf } from '../migration/workspace-layout.ts'
import type { VacuumJournal } from './vacuum-journal.ts'

/** Takes away a new store that did not take its place, and the journal. Can be repeated. False when it had taken its place. */
export const endVacuum = async (layout: Layout, { job_id }: VacuumJournal): Promise<boolean> => {
  const { newStore } = placesOf(layout, job_id)
  const isUndone = await exists(newStore)
  await unlinkIfThere(`${newStore}.wal`)
  await unlinkIfThere(newStore)
  await syncFolder(layout.root)
  await removeJournal(layout)
  return isUndone
}
