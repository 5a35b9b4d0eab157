import { syncFolder } from '../files/disk.ts'
import { resolveMaintained, withMetadata, withReading } from '../maintenance/maintenance-workspace.ts'
import type { MetadataStore } from '../maintenance/metadata-store.ts'
import { openArrays } from '../maintenance/open-arrays.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { endFlush, type FlushJournal, undoFlush } from './flush-journal.ts'
import { storedTime } from './stored-time.ts'

/**
 * After a crash: where the rows did not come, the arrays that were there before come back. Meanwhile nobody can write to the store: what
 * nirs4all saves must not come between the look at the rows and their arrays.
 */
export const recoverFlush = async (layout: Layout, journal: FlushJournal): Promise<'finished' | 'undone'> => {
  const isUndone = await keepingRows(layout, async (metadata) => {
    const left = await unchangedRows(metadata, journal)
    if (left.size > 0) await undoFlush(journal, layout, openArrays(layout.root, { metadata }), left)
    return left.size > 0
  })
  // What was read may be in a log whose name nobody has flushed.
  await syncFolder(layout.root)
  await endFlush(layout, journal)
  return isUndone ? 'undone' : 'finished'
}

/** A reader of a store.duckdb keeps writers out; a store.sqlite has to be held for writing. */
const keepingRows = async <T>(layout: Layout, work: (metadata: MetadataStore) => Promise<T>): Promise<T> => {
  const resolved = await resolveMaintained(layout.root)
  return resolved.sqlite === null ? withReading(resolved, work) : withMetadata(resolved, (_, metadata) => work(metadata))
}

/**
 * The predictions whose rows are still what the save has found. One transaction changes all of them, so that none is when it was committed;
 * a row that another program has written since has its arrays from there.
 */
const unchangedRows = async (metadata: MetadataStore, { evidence }: FlushJournal): Promise<ReadonlySet<string>> => {
  const { prediction_ids: ids, created_at, before } = evidence
  const times = await metadata.textsOf({ table: 'predictions', keys: ids }, 'created_at')
  const now = ids.map((id) => timeOf(times.get(id)))
  if (now.includes(timeOf(created_at))) return new Set()
  return new Set(before === undefined ? ids : ids.filter((id, place) => times.has(id) && now[place] === timeOf(before[place])))
}

const timeOf = (text: string | null | undefined): string | null | undefined => (typeof text === 'string' ? storedTime(text) : text)
