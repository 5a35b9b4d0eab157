import { attachReadOnly } from '../engine/attach-store.ts'
import { withEngine } from '../engine/open-engine.ts'
import { isStorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import type { Layout } from './workspace-layout.ts'

/**
 * Holds the store attached for reading while it is swapped. A store that is missing has no writer; one that is damaged has none either, which
 * counts only with `force`. Throws `store_locked`.
 */
export const keepingWritersOut = <T>(layout: Layout, force: boolean, work: () => Promise<T>): Promise<T> =>
  withEngine({}, async (engine) => {
    try {
      if (await exists(layout.store)) await attachReadOnly(engine, layout.store, 'current')
    } catch (error) {
      if (isStorageError(error, 'store_locked') || !force) throw error
    }
    return work()
  })
