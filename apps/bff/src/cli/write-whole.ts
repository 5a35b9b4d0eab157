import { isStorageError, StorageError, systemCode, writeBeside } from '@nirs-workspace/storage'

/** Lets `write` make a file beside the target and renames it, so that a file that is there is a whole one. Throws `write_failed`. */
export const writeWhole = async (target: string, write: (beside: string) => Promise<void>): Promise<void> => {
  try {
    await writeBeside(target, write)
  } catch (error) {
    throw notWritten(target, error)
  }
}

/** What the system says when it cannot write, as `write_failed`; anything else stays what it is. */
export const notWritten = (path: string, cause: unknown): unknown => {
  // A source that could not be read has a code of its own, which is not of the system.
  const code = isStorageError(cause) ? undefined : systemCode(cause)
  if (code === undefined || code === 'ABORT_ERR') return cause
  return new StorageError(
    'write_failed',
    `${path} could not be written (${code}). No file was kept.`,
    { path, hint: 'Check the disk, then try again.' },
    cause,
  )
}
