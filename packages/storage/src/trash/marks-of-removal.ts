import type { ArrayOperations } from '../array-store/array-operations.ts'
import { readTombstonesIfSound } from '../arrays/tombstones.ts'

/** Of these predictions those that are on the list of removed ones already. */
export const markedAmong = async (folder: string, ids: readonly string[]): Promise<string[]> => {
  const removed = await readTombstonesIfSound(folder)
  return removed === null ? [] : ids.filter((id) => removed.has(id))
}

/** Of these predictions, which had such a mark, those that are to have it again: not those whose arrays have been saved anew. */
export const marksToSet = async (arrays: ArrayOperations, marked: readonly string[], ids: readonly string[]): Promise<Set<string>> => {
  const chosen = new Set(ids)
  const wanted = marked.filter((id) => chosen.has(id))
  if (wanted.length === 0) return new Set()
  const saved = await arrays.loadBatch(wanted)
  return new Set(wanted.filter((id) => !saved.has(id)))
}
