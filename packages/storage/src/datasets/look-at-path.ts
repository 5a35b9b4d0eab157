import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, relative, sep } from 'node:path'
import { systemCode } from '../errors.ts'

/** What is at a path, every link followed; `path` is the real one. Of a file, `version` is another one once it is another file or content. */
export type PathLook =
  | { kind: 'absent' }
  | { kind: 'unreadable'; path: string; reason: string }
  | { kind: 'folder'; path: string }
  | { kind: 'file'; path: string; size: number; version: string }

/** Opening a store with `fs` would drop the lock that DuckDB holds on it in this process. */
const store = /\.(?:duckdb|sqlite3?|db)(?:[.-].*)?$/i

const absence = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'])

/** Looks without opening: a pipe or a device is recognised, never waited on. */
export const lookAtPath = async (path: string): Promise<PathLook> => {
  try {
    const real = await realpath(path)
    const status = await stat(real, { bigint: true })
    if (status.isDirectory()) return { kind: 'folder', path: real }
    if (!status.isFile()) return { kind: 'unreadable', path, reason: 'it is a pipe, a socket or a device' }
    if (isStore(real)) return { kind: 'unreadable', path, reason: 'it is a store, not a dataset' }
    return { kind: 'file', path: real, size: Number(status.size), version: versionOf(status) }
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    return absence.has(code) ? { kind: 'absent' } : { kind: 'unreadable', path, reason: `the system says ${code}` }
  }
}

// The time of change of its entry, too: programs set the other one at will. Not the device: on Windows a path and a handle name it differently.
export const versionOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string => [ino, size, mtimeNs, ctimeNs].join()

export const isStore = (path: string): boolean => store.test(basename(path))

/** Opens what `lookAtPath` called a file. What was put in its place since is refused, without waiting. */
export const openFile = async (realPath: string): Promise<FileHandle> => {
  const handle = await open(realPath, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw Object.assign(new Error('not a regular file any more'), { code: 'ENXIO', syscall: 'open' })
}

/** Whether a real path lies in one of the folders. */
export const isInside = async (realPath: string, folders: readonly string[]): Promise<boolean> => {
  for (const folder of folders) {
    const look = await lookAtPath(folder)
    if (look.kind !== 'folder') continue
    const way = relative(look.path, realPath)
    if (way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return true
  }
  return false
}
