import { stat } from 'node:fs/promises'
import { withEngine } from '../engine/open-engine.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { resolveWritable } from '../store/resolve-writable.ts'
import { withAttachedStore } from '../workspace/open-store.ts'
import { freeBytes } from '../workspace/store-facts.ts'

export interface VacuumPlan {
  readonly bytes_before: number
  /** Bytes of blocks that nothing uses: what a rewrite gives back at least. */
  readonly free_bytes: number
}

/** How large the store is, and how much of it is empty. Reads only. Throws what `vacuumWorkspace` throws before it begins. */
export const planVacuum = async (path: string): Promise<VacuumPlan> => {
  const { root, store } = await resolveWritable(path, false)
  const file = store ?? layoutOf(root).store
  const free_bytes = await withEngine({}, (engine) => withAttachedStore(engine, file, 'looked_at', freeBytes))
  return { bytes_before: (await stat(file)).size, free_bytes }
}
