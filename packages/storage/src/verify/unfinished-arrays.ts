import { isStorageError } from '../errors.ts'
import { readJournal } from '../migration/journal.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { Contents, readJson } from '../trash/trash-manifest.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

export interface UnfinishedArrays {
  readonly kind: 'removal' | 'restore'
  /** Predictions whose rows in arrays/ are there without metadata until the job is finished or undone. */
  readonly ids: readonly string[]
}

/** What a removal or restore that has not ended, still at work or waiting for recovery, has to do with arrays. Reads only. */
export const unfinishedArrays = async ({ kind, root }: ResolvedWorkspace): Promise<UnfinishedArrays | null> => {
  if (kind === 'portable') return null
  try {
    const layout = layoutOf(root)
    const journal = await readJournal(layout)
    if (journal?.kind !== 'remove' && journal?.kind !== 'restore') return null
    const { contents, restoring } = trashPlaces(layout, journal.operation)
    const found = await readJson(journal.kind === 'remove' ? contents : restoring, Contents)
    return found === null ? null : { kind: journal.kind === 'remove' ? 'removal' : 'restore', ids: found.arrays }
  } catch (error) {
    // Whoever opens the workspace for writing is told; here the rows are only not explained.
    if (isStorageError(error, 'interrupted', 'trash_damaged')) return null
    throw error
  }
}
