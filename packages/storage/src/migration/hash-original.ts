import { hashAttachedFile } from '../files/hash-attached-file.ts'
import { exists } from '../files/move-file.ts'
import type { Layout } from './workspace-layout.ts'

export interface OriginalHashes {
  readonly store: string
  /** Null without a log. */
  readonly wal: string | null
}

export interface OriginalHashing {
  readonly hashes: Promise<OriginalHashes>
  /** Gives up what is not finished, and waits for it. */
  readonly stop: () => Promise<void>
}

/** Begins to hash the store and its log, which stay as they are while they are attached: planning leaves one core idle. */
export const hashOriginal = (layout: Layout, signal: AbortSignal | undefined): OriginalHashing => {
  const stopped = new AbortController()
  const either = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal])
  const hashes = hashBoth(layout, either)
  // Awaited where it is needed; a failure before that must not count as unhandled.
  hashes.catch(() => undefined)
  return {
    hashes,
    stop: async () => {
      stopped.abort()
      await hashes.catch(() => undefined)
    },
  }
}

const hashBoth = async (layout: Layout, signal: AbortSignal): Promise<OriginalHashes> => {
  const wal = (await exists(layout.wal)) ? await hashAttachedFile(layout.wal, signal) : null
  return { store: await hashAttachedFile(layout.store, signal), wal }
}
