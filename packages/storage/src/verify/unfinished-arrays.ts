import { join } from 'node:path'
import { escapeGlob } from '../arrays/pin-file.ts'
import { unsettledIn } from '../arrays/unsettled-arrays.ts'
import { quotedString } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { readIds } from '../maintenance/read-texts.ts'
import type { MergeJournal } from '../merge/merge-journal.ts'
import { type Journal, readJournal } from '../migration/journal.ts'
import { type Layout, layoutOf } from '../migration/workspace-layout.ts'
import { Contents, readJson } from '../trash/trash-manifest.ts'
import { trashPlaces } from '../trash/trash-places.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'

export interface UnfinishedArrays {
  readonly kind: 'removal' | 'restore' | 'merge' | 'save'
  /**
   * Predictions whose rows in arrays/ are there without metadata until the job is finished or undone; of a save those whose rows may be of
   * other scores than the store has.
   */
  readonly ids: readonly string[]
}

/**
 * What a removal, restore, merge or save that has not ended, still at work or waiting for recovery, has to do with arrays; the rows of arrays/
 * have been collected in the engine. Reads only.
 */
export const unfinishedArrays = async (engine: Engine, { kind, root }: ResolvedWorkspace): Promise<UnfinishedArrays | null> => {
  if (kind === 'portable') return null
  try {
    const layout = layoutOf(root)
    const journal = await readJournal(layout)
    return journal === null ? null : await arraysOf(engine, layout, journal)
  } catch (error) {
    // Whoever opens the workspace for writing is told; here the rows are only not explained.
    if (isStorageError(error, 'interrupted', 'trash_damaged')) return null
    throw error
  }
}

const arraysOf = async (engine: Engine, layout: Layout, journal: Journal): Promise<UnfinishedArrays | null> => {
  switch (journal.kind) {
    case 'remove':
      return ofTrash('removal', trashPlaces(layout, journal.operation).contents)
    case 'restore':
      return ofTrash('restore', trashPlaces(layout, journal.operation).restoring)
    case 'merge':
      return { kind: 'merge', ids: await mergedIds(engine, layout, journal) }
    case 'flush':
      return { kind: 'save', ids: unsettledIn(journal) }
    default:
      return null
  }
}

const ofTrash = async (kind: 'removal' | 'restore', path: string): Promise<UnfinishedArrays | null> => {
  const found = await readJson(path, Contents)
  return found === null ? null : { kind, ids: found.arrays }
}

/** Of the files that a merge puts into arrays/ the rows that those before do not have. */
const mergedIds = async (engine: Engine, { root }: Layout, { placed }: MergeJournal): Promise<string[]> => {
  const ids: string[] = []
  const rows = 'SELECT DISTINCT prediction_id AS id FROM memory.main.array_rows'
  for (const { target, replaced } of placed) {
    const before = replaced === null ? null : join(root, replaced)
    const known =
      before !== null && (await exists(before))
        ? `SELECT prediction_id FROM read_parquet(${quotedString(escapeGlob(before))}, hive_partitioning = false) WHERE prediction_id IS NOT NULL`
        : 'SELECT NULL WHERE false'
    const sql = `${rows} WHERE origin = ${quotedString(target)} AND prediction_id NOT IN (${known}) ORDER BY id`
    // A file of before that cannot be read explains nothing; what is damaged in its place is a finding of its own.
    ids.push(...(await readIds(engine, sql).catch(() => [])))
  }
  return ids
}
