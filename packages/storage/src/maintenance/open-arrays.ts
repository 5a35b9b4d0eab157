import type { ArrayOperations } from '../array-store/array-operations.ts'
import { ArrayStore } from '../array-store/array-store.ts'
import type { WorkspaceLock } from '../files/workspace-lock.ts'
import { contextsIn } from './metadata-contexts.ts'
import type { MetadataStore } from './metadata-store.ts'

/** For jobs, which hold the workspace lock themselves and give it back at their end. */
const held: WorkspaceLock = { release: async () => undefined }

interface ArraysChoice {
  readonly signal?: AbortSignal | undefined
  /** What the summaries of array files tell besides the rows themselves is asked there. */
  readonly metadata?: MetadataStore | undefined
}

/** The arrays of a workspace whose lock the caller holds. */
export const openArrays = (root: string, { signal, metadata }: ArraysChoice = {}): ArrayOperations =>
  ArrayStore.open(root, { lock: held, signal, contextsOf: metadata === undefined ? undefined : contextsIn(metadata) })
