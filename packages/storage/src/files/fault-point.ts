/**
 * Every change to a disk passes here first, so that tests can stop the program before any one of them.
 * In the product the hook does nothing and nothing outside tests sets it.
 */
export interface DiskOperation {
  kind: 'mkdir' | 'write' | 'fsync' | 'fsync-folder' | 'rename' | 'link' | 'unlink' | 'remove-tree' | 'copy' | 'engine-write'
  path: string
  /** What a rename, link or copy starts from. */
  from?: string
  /** The bytes about to be written, and where in the file (default 0). */
  data?: string | Uint8Array
  position?: number
}

export type FaultHook = (operation: DiskOperation) => void | Promise<void>

let hook: FaultHook | undefined

/** Installs (or with undefined removes) the hook of this process. */
export const setFaultHook = (next: FaultHook | undefined): void => {
  hook = next
}

/** Whether anybody looks: bytes that only a hook wants need not be put together otherwise. */
export const isWatched = (): boolean => hook !== undefined

/** Announces a change that is about to happen. `engine-write` brackets what DuckDB writes by itself. */
export const faultPoint = async (operation: DiskOperation): Promise<void> => {
  await hook?.(operation)
}
