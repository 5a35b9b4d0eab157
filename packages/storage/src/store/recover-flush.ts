import { openArrays } from '../maintenance/open-arrays.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { endFlush, type FlushJournal, isFlushDone, undoFlush } from './flush-journal.ts'

/** After a crash: where the rows did not come, the arrays that were there before come back. */
export const recoverFlush = async (layout: Layout, journal: FlushJournal): Promise<'finished' | 'undone'> => {
  const isDone = await isFlushDone(layout, journal)
  if (!isDone) await undoFlush(journal, layout, openArrays(layout.root))
  await endFlush(layout, journal)
  return isDone ? 'finished' : 'undone'
}
