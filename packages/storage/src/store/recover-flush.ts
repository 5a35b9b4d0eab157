import { resolveMaintained, withReading } from '../maintenance/maintenance-workspace.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { endFlush, type FlushJournal, undoFlush } from './flush-journal.ts'

/** After a crash: where the rows did not come, the arrays that were there before come back. */
export const recoverFlush = async (layout: Layout, journal: FlushJournal): Promise<'finished' | 'undone'> => {
  const left = await unchangedRows(layout, journal)
  if (left.size > 0) await undoFlush(journal, layout, openArrays(layout.root), left)
  await endFlush(layout, journal)
  return left.size > 0 ? 'undone' : 'finished'
}

/**
 * The predictions whose rows are still what the save has found. One transaction changes all of them, so that none is when it was committed;
 * a row that another program has written since has its arrays from there.
 */
const unchangedRows = async (layout: Layout, { evidence }: FlushJournal): Promise<ReadonlySet<string>> => {
  const { prediction_ids: ids, created_at, before } = evidence
  const times = await withReading(await resolveMaintained(layout.root), (metadata) =>
    metadata.textsOf({ table: 'predictions', keys: ids }, 'created_at'),
  )
  const now = ids.map((id) => timeOf(times.get(id)))
  if (now.includes(timeOf(created_at))) return new Set()
  return new Set(before === undefined ? ids : ids.filter((id, place) => times.has(id) && now[place] === timeOf(before[place])))
}

/** As DuckDB writes it, also where nirs4all has taken it over into a store.sqlite. */
const timeOf = (text: string | null | undefined): string | null | undefined =>
  text?.replace('T', ' ').replace(/\.0+$|(\.\d*[1-9])0+$/, '$1')
