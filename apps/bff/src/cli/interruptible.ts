import { isStorageError, StorageError } from '@nirs-workspace/storage'
import { onStop } from './on-stop.ts'

/**
 * Runs work that Ctrl-C stops in good order: the signal fires once, a second Ctrl-C ends the process as usual. Whatever the work throws
 * when it was stopped becomes `cancelled`.
 */
export const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const abort = new AbortController()
  const end = onStop(() => abort.abort(new Error('cancelled')))
  try {
    return await work(abort.signal)
  } catch (error) {
    if (!abort.signal.aborted || isStorageError(error)) throw error
    throw new StorageError('cancelled', 'It was stopped before it was done. Nothing was changed.', {}, error)
  } finally {
    end()
  }
}
