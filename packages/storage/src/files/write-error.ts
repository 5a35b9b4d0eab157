import { StorageError, systemCode } from '../errors.ts'

const full = ['ENOSPC', 'EDQUOT']
const refused = ['EROFS', 'EACCES', 'EPERM']
/** A place where no such file or folder can be. */
export const misplaced = ['EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EEXIST', 'ERR_INVALID_ARG_VALUE']
const failed = ['EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'EBUSY', 'ESTALE']

/** What the disk answered to a change, as one of the coded errors. A mistake of the program itself stays what it is. */
export const toWriteError = (error: unknown, untouched = 'Every array file is as it was, or whole with what was added.'): unknown => {
  const code = systemCode(error)
  if (error instanceof StorageError || code === undefined) return error
  if (full.includes(code))
    return new StorageError('write_failed', `The disk is full. ${untouched}`, { hint: 'Free some space and try again.' }, error)
  if (refused.includes(code)) {
    const hint = 'Copy the workspace to a place where you may write, or ask for the right to.'
    return new StorageError('read_only', `The workspace is in a place that does not allow writing. ${untouched}`, { hint }, error)
  }
  if (!failed.includes(code) && !misplaced.includes(code)) return error
  const hint = misplaced.includes(code) ? 'Choose another path.' : 'Check the disk, then try again.'
  return new StorageError('write_failed', `Writing failed (${code}). ${untouched}`, { hint }, error)
}
