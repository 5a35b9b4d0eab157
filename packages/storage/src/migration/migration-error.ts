import * as z from 'zod'
import { toStorageError } from '../engine/engine-error.ts'
import { isStorageError, StorageError, systemCode } from '../errors.ts'

const takenAway = 'Everything that had been written was taken away again; the original is untouched.'

/** Whatever stopped a migration (or another job of the kind) before its commit, as one of the coded errors. A mistake of the program itself stays what it is. */
export const toMigrationError = (thrown: unknown, signal: AbortSignal | undefined, job = 'migration', untouched = takenAway): unknown => {
  if (signal?.aborted) return new StorageError('cancelled', `The ${job} was cancelled. ${untouched}`, {}, thrown)
  // A refusal of our own, before the first byte, and not what an engine or the system has said on the way.
  if (isStorageError(thrown, 'no_space') && thrown.cause === undefined) return thrown
  const error = toStorageError(thrown)
  if (isFull(error)) {
    // `no_space` means that the job was not begun; this one ran out on the way.
    return new StorageError('write_failed', `The disk is full. ${untouched}`, { hint: 'Free some space and try again.' }, thrown)
  }
  if (isStorageError(error)) return error
  const reason = writeFailure(error)
  if (reason === null) return asUnfit(error, untouched) ?? error
  return new StorageError('write_failed', `Writing failed (${reason}). ${untouched}`, { hint: 'Check the disk, then try again.' }, thrown)
}

const isFull = (error: unknown): boolean => isStorageError(error, 'no_space') || ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')

const writeCodes = ['EIO', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ESTALE']

const writeFailure = (error: unknown): string | null => {
  const code = systemCode(error)
  if (code !== undefined && writeCodes.includes(code)) return code
  if (!(error instanceof Error)) return null
  const [first = ''] = error.message.split('\n')
  return /^IO Error|Could not write|Cannot open file|FATAL Error|Input\/output error|File too large/i.test(first)
    ? first.slice(0, 200)
    : null
}

/** What an engine or a check says when a store holds what no release writes, as `store_unsafe`; null for a mistake of this program. */
export const asUnfit = (error: unknown, whatIsUntouched: string): StorageError | null => {
  const reason = unfitReason(error)
  if (reason === null) return null
  return new StorageError(
    'store_unsafe',
    `The store holds something that no nirs4all release writes: ${reason}. ${whatIsUntouched}`,
    { hint: 'Ask whoever wrote this workspace for one that nirs4all has written, or remove what is named and try again.' },
    error,
  )
}

const unfitReason = (error: unknown): string | null => {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    return `${issue?.path.join('.') ?? 'a value'}: ${issue?.message ?? 'not as expected'}`
  }
  if (!(error instanceof Error)) return null
  const [first = ''] = error.message.split('\n')
  const isAboutContent =
    /^(Constraint|Conversion|Catalog|Binder|Parser|Dependency|Invalid Input|Not implemented|Out of Range|Mismatch Type) Error/i
  return isAboutContent.test(first) ? first.slice(0, 250) : null
}
