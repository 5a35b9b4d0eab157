import type { RecordContext } from '../array-store/array-record.ts'
import type { ContextsOf } from '../array-store/ask-contexts.ts'
import { storedTime } from '../store/stored-time.ts'
import type { MetadataStore } from './metadata-store.ts'

const columns = ['branch_name', 'refit_context', 'created_at'] as const

/** What a store says of predictions that their array files have no columns for. Columns that it lacks say nothing. */
export const contextsIn =
  (metadata: MetadataStore): ContextsOf =>
  async (keys) => {
    const there = metadata.shapes.get('predictions')?.columns ?? []
    const contexts = new Map<string, RecordContext>()
    for (const column of columns.filter((name) => there.includes(name))) {
      for (const [id, text] of await metadata.textsOf({ table: 'predictions', keys }, column)) {
        const value = column === 'created_at' && text !== null ? storedTime(text) : text
        contexts.set(id, { ...contexts.get(id), [column]: value })
      }
    }
    return contexts
  }
