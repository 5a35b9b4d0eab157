import { join } from 'node:path'
import type { MigrationProof } from '@nirs-workspace/types'
import { readTombstonesIfSound, tombstonesName } from '../arrays/tombstones.ts'
import { withEngine } from '../engine/open-engine.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { sourceAlias } from './source-tables.ts'
import { idsInAll } from './unmark-migrated.ts'
import type { Layout } from './workspace-layout.ts'

/**
 * Predictions that were marked as removed since the migration and that the original knows: with a roll back they live again, and the only
 * copy of their arrays may lie under the mark. None where the list of before comes back as a whole, or where the proof does not say what was on it.
 */
export const newerMarks = async (layout: Layout, proof: MigrationProof): Promise<string[]> => {
  const { marked_before, arrays_created, replaced, original } = proof
  const isListBack = replaced.some(({ path }) => path === `arrays/${tombstonesName}`)
  if (marked_before === undefined || arrays_created || isListBack) return []
  const before = new Set(marked_before)
  const since = [...((await readTombstonesIfSound(layout.arrays))?.keys() ?? [])].filter((id) => !before.has(id))
  if (since.length === 0) return []
  return withEngine({ threads: 1 }, (engine) =>
    withAttachedStore(engine, join(layout.root, original.path), sourceAlias, () => idsInAll(engine, since, ['predictions'])),
  )
}
