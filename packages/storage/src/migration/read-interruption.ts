import { readLockHolder } from '../files/workspace-lock.ts'
import type { Interruption } from './job-options.ts'
import { readJournal } from './journal.ts'
import { layoutOf } from './workspace-layout.ts'

/** What an interrupted job has left to finish or undo; null when nothing has, or while the job still runs. Reads only. */
export const readInterruption = async (root: string): Promise<Interruption | null> => {
  const layout = layoutOf(root)
  if ((await readJournal(layout)) === null || (await readLockHolder(root)) !== null) return null
  // A job may have ended between the two looks: what it leaves to do is there without anybody who does it.
  const journal = await readJournal(layout)
  if (journal === null || (await readLockHolder(root)) !== null) return null
  return { job_id: journal.job_id, kind: journal.kind, phase: journal.phase }
}
