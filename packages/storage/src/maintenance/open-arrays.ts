import type { ArrayOperations } from '../array-store/array-operations.ts'
import { ArrayStore } from '../array-store/array-store.ts'
import type { WorkspaceLock } from '../files/workspace-lock.ts'

/** For jobs, which hold the workspace lock themselves and give it back at their end. */
const held: WorkspaceLock = { release: async () => undefined }

/** The arrays of a workspace whose lock the caller holds. */
export const openArrays = (root: string, signal?: AbortSignal): ArrayOperations => ArrayStore.open(root, { lock: held, signal })
