import { isStorageError, StorageError } from '../errors.ts'
import { type Journal, readJournal } from '../migration/journal.ts'
import { layoutOf } from '../migration/workspace-layout.ts'

/** Predictions of a save that has not ended. */
export const unsettledIn = (journal: Journal | null): readonly string[] =>
  journal?.kind === 'flush' ? journal.evidence.prediction_ids : []

/** Predictions whose save has not ended: whether the rows or the arrays that are there are the older ones, only its end tells. Reads only. */
const unsettledPredictions = async (root: string): Promise<ReadonlySet<string>> => {
  try {
    return new Set(unsettledIn(await readJournal(layoutOf(root))))
  } catch (error) {
    // Whoever opens the workspace for writing is told.
    if (isStorageError(error, 'interrupted')) return new Set()
    throw error
  }
}

/**
 * Scores of one save and arrays of another are shown to nobody. Asked after files were opened, it misses nothing of a save that is still at
 * work: its journal is there before its first array. Throws `interrupted`.
 */
export const refuseUnsettledArrays = async (root: string, ids: () => Iterable<string> | Promise<Iterable<string>>): Promise<void> => {
  const unsettled = await unsettledPredictions(root)
  if (unsettled.size === 0) return
  const found = [...(await ids())].filter((id) => unsettled.has(id))
  if (found.length === 0) return
  const others = found.length > 1 ? ` and ${found.length - 1} more` : ''
  throw new StorageError(
    'interrupted',
    `Prediction ${found[0]}${others} was being saved again, and that has not ended: whether its arrays belong to its scores is not known until then. Nothing was changed.`,
    {
      path: root,
      ids: found.slice(0, 100),
      hint: 'Wait until the program that saves has ended. If it was stopped, open the workspace in the app, or with anything that changes it: that puts its save in order.',
    },
  )
}
