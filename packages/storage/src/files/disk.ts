import * as fs from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import { faultPoint, isWatched } from './fault-point.ts'
import { writeAll } from './write-all.ts'

/**
 * The primitives that change a disk. Of what else writes through node:fs, see "Style" in CONTRIBUTING.md.
 * This one tells the first folder that was not there, if any.
 */
export const makeFolder = async (path: string): Promise<string | undefined> => {
  await faultPoint({ kind: 'mkdir', path })
  return fs.mkdir(path, { recursive: true })
}

/** Writes a file that must not exist yet, flushed to the disk before returning. */
export const writeNewFile = async (path: string, data: string | Uint8Array): Promise<void> => {
  await faultPoint({ kind: 'write', path, data })
  const handle = await fs.open(path, 'wx', 0o644)
  try {
    await handle.writeFile(data)
    await faultPoint({ kind: 'fsync', path })
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A file that grows piece by piece and counts as written only after `finish`. */
export interface NewFile {
  append(pieces: readonly Uint8Array[]): Promise<void>
  /** Flushes and closes. */
  finish(): Promise<void>
  /** Closes without flushing; does nothing after `finish`. */
  close(): Promise<void>
}

/** Starts a file that must not exist yet. */
export const createFile = async (path: string): Promise<NewFile> => {
  let position = 0
  let handle: fs.FileHandle | undefined
  const close = async () => {
    const open = handle
    handle = undefined
    await open?.close()
  }
  await faultPoint({ kind: 'write', path, data: new Uint8Array() })
  handle = await fs.open(path, 'wx', 0o644)
  return {
    append: async (pieces) => {
      await faultPoint({ kind: 'write', path, position, ...(isWatched() ? { data: Buffer.concat(pieces) } : {}) })
      if (handle === undefined) throw new Error('The file is closed.')
      for (let rest = pieces; rest.length > 0; ) {
        const { bytesWritten } = await handle.writev(rest)
        position += bytesWritten
        rest = after(rest, bytesWritten)
      }
    },
    finish: async () => {
      await faultPoint({ kind: 'fsync', path })
      await handle?.sync()
      await close()
    },
    close,
  }
}

/** What is left of the pieces behind so many bytes. */
const after = (pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] => {
  let skip = bytes
  return pieces.flatMap((piece) => {
    const from = Math.min(skip, piece.length)
    skip -= from
    return from === piece.length ? [] : [piece.subarray(from)]
  })
}

/**
 * Flushes a file that something else wrote, with the permissions that it gets now (default: those it has). Never call it on a DuckDB file that
 * this process has open.
 */
export const syncFile = async (path: string, mode?: number): Promise<void> => {
  await faultPoint({ kind: 'fsync', path })
  const handle = await fs.open(path, 'r+')
  try {
    if (mode !== undefined) await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the names inside a folder durable. Windows cannot open folders and orders its metadata itself. */
export const syncFolder = async (path: string): Promise<void> => {
  await faultPoint({ kind: 'fsync-folder', path })
  if (process.platform === 'win32') return
  const handle = await fs.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Cuts a file at `start`, puts `tail` there and flushes it. Only for files that nobody else has seen yet. */
export const replaceTail = async (path: string, start: number, tail: Uint8Array): Promise<void> => {
  await faultPoint({ kind: 'write', path, data: tail, position: start })
  const handle = await fs.open(path, 'r+')
  try {
    await handle.truncate(start)
    await writeAll(handle, tail, start)
    await faultPoint({ kind: 'fsync', path })
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const rename = async (from: string, to: string): Promise<void> => {
  await faultPoint({ kind: 'rename', path: to, from })
  await fs.rename(from, to)
}

/** A second name for the same bytes; fails where the file system has no hard links. */
export const link = async (from: string, to: string): Promise<void> => {
  await faultPoint({ kind: 'link', path: to, from })
  await fs.link(from, to)
}

export const unlink = async (path: string): Promise<void> => {
  await faultPoint({ kind: 'unlink', path })
  await fs.unlink(path)
}

export const removeTree = async (path: string): Promise<void> => {
  await faultPoint({ kind: 'remove-tree', path })
  await fs.rm(path, { recursive: true, force: true })
}

/** Removes an empty folder; one that is not empty, or not there, stays as it is. */
export const removeEmptyFolder = async (path: string): Promise<boolean> => {
  await faultPoint({ kind: 'unlink', path })
  try {
    await fs.rmdir(path)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** A copy of the bytes, flushed; for file systems without hard links. The target must not exist. */
export const copyDurably = async (from: string, to: string): Promise<void> => {
  await faultPoint({ kind: 'copy', path: to, from })
  await fs.copyFile(from, to, fs.constants.COPYFILE_EXCL)
  await syncFile(to)
}
