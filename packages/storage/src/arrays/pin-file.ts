import { constants, fstatSync, readlinkSync, realpathSync } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'

/** A file held by its descriptor while it is read: renaming or replacing the name meanwhile changes nothing for the reader. */
export interface PinnedFile {
  /** What to hand to `read_parquet`: never a glob. */
  readonly enginePath: string
  /** What to hand to other readers of this process. */
  readonly readPath: string
  readonly handle: FileHandle
  close(): Promise<void>
}

/**
 * Opens a regular file that lies, really, inside `root`. Links, pipes, folders and devices are refused without waiting on them, also
 * when they are put in place of the file while we look.
 */
export const pinFile = async (root: string, relativePath: string): Promise<PinnedFile> => {
  const path = resolve(root, relativePath)
  // What a name leads to outside is not even opened: where there is no root, nothing could be compared afterwards.
  if (leadsOutside(relative(root, path))) throw notRegular(relativePath)
  const handle = await openRegular(path, relativePath)
  try {
    const inside = realpathSync.native(root)
    const real = process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${handle.fd}`) : await realpath(path)
    if (
      !dirname(real)
        .concat(sep)
        .startsWith(inside.endsWith(sep) ? inside : inside + sep)
    )
      throw notRegular(relativePath)
    const readPath = process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path
    return { enginePath: escapeGlob(readPath), readPath, handle, close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const leadsOutside = (way: string): boolean => way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)

/** Characters that DuckDB would take for a pattern, each in a class of its own. */
export const escapeGlob = (path: string): string => path.replace(/[*?[]/g, '[$&]')

const openRegular = async (path: string, name: string): Promise<FileHandle> => {
  const handle = await openQuietly(path, name)
  // Of what is open the system knows the answer; a trip to another thread would take longer than asking.
  if (fstatSync(handle.fd).isFile()) return handle
  await handle.close()
  throw notRegular(name)
}

// O_NONBLOCK: opening a pipe must not wait for a writer.
const openQuietly = async (path: string, name: string): Promise<FileHandle> => {
  try {
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missingFile(name, error)
    if (code === 'ELOOP' || code === 'ENXIO' || code === 'ENODEV') throw notRegular(name)
    throw new StorageError('arrays_corrupt', `${name} cannot be opened (${code ?? 'unknown cause'}). Nothing was changed.`, { path }, error)
  }
}

/** A file of arrays that is not where it belongs, which says nothing about what it held. */
export const missingFile = (path: string, cause?: unknown): StorageError =>
  new StorageError(
    'arrays_missing',
    `${path} is not there. Nothing was changed.`,
    { path, hint: 'Restore the file from a backup; `verify` names every file that is missing or damaged.' },
    cause,
  )

const notRegular = (name: string) =>
  new StorageError('arrays_corrupt', `${name} is not a regular file inside the workspace and was not read.`, {
    path: name,
    hint: 'Put the file itself there instead of a link.',
  })
