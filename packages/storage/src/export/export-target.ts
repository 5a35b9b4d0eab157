import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { isStorageError, StorageError, systemCode } from '../errors.ts'
import { rename, syncFile, syncFolder, unlink } from '../files/disk.ts'
import { faultPoint } from '../files/fault-point.ts'
import { misplaced } from '../files/write-error.ts'

/** Lets `write` make a file beside the target, flushes it and puts it in the target's place; on failure nothing is left. */
export const writeBeside = async <T>(target: string, write: (path: string) => Promise<T>): Promise<T> => {
  const folder = dirname(target)
  const beside = join(folder, `.nirs-export-${randomUUID()}.tmp`)
  try {
    await faultPoint({ kind: 'engine-write', path: beside })
    const written = await write(beside)
    await syncFile(beside)
    await rename(beside, target)
    await syncFolder(folder)
    return written
  } catch (error) {
    await removeIfThere(beside)
    throw notWritten(target, error)
  }
}

/** What the system says when it cannot write, as `write_failed`; anything else stays what it is. */
export const notWritten = (path: string, cause: unknown): unknown => {
  // A source that could not be read has a code of its own, which is not of the system.
  const code = isStorageError(cause) ? undefined : systemCode(cause)
  if (code === undefined || code === 'ABORT_ERR') return cause
  const hint = misplaced.includes(code) ? 'Choose another name or folder.' : 'Check the disk, then try again.'
  return new StorageError('write_failed', `${path} could not be written (${code}). No file was kept.`, { path, hint }, cause)
}

export const removeIfThere = async (path: string): Promise<void> => {
  try {
    await unlink(path)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error
  }
}

/** The absolute path of a file to be written; refused inside the workspace, which looking must not change. */
export const allowedTarget = async (root: string, target: string): Promise<string> => {
  if (target === '' || target.includes('\0'))
    throw new StorageError('validation', 'The target is no path of a file. Nothing was written.', { hint: 'Name the file to be written.' })
  const path = resolve(target)
  const [folder, workspace] = [await realFolder(dirname(path)), await realpath(root)]
  if (folder !== workspace && !folder.startsWith(workspace + sep)) return path
  throw new StorageError('path_not_allowed', 'An export inside the workspace would change it. Nothing was written.', {
    path: target,
    hint: 'Choose a folder outside the workspace.',
  })
}

const realFolder = async (folder: string): Promise<string> => {
  try {
    return await realpath(folder)
  } catch (error) {
    throw new StorageError(
      'write_failed',
      `There is no folder ${folder}. Nothing was written.`,
      { path: folder, hint: 'Make it first.' },
      error,
    )
  }
}

export const describeFile = async (path: string): Promise<{ bytes: number; sha256: string }> => {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
}
