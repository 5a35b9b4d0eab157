import * as fs from 'node:fs/promises'
import { type NewFile, unlink } from './disk.ts'
import { faultPoint, isWatched } from './fault-point.ts'
import { writeAll } from './write-all.ts'

/**
 * Copies the first `bytes` of a file to a name that must not exist yet, to be continued from there. Shares the blocks of the original
 * where the file system can. Counts as written only after `finish`, which flushes the copy too.
 */
export const growCopy = async (from: string, to: string, bytes: number): Promise<NewFile> => {
  await faultPoint({ kind: 'copy', path: to, from })
  // A copy that fails takes away what it has made; one whose name is taken makes nothing.
  await fs.copyFile(from, to, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
  let handle: fs.FileHandle | undefined = await openCopy(to, bytes)
  let position = bytes
  const close = async () => {
    const open = handle
    handle = undefined
    await open?.close()
  }
  return {
    append: async (pieces) => {
      await faultPoint({ kind: 'write', path: to, position, ...(isWatched() ? { data: Buffer.concat(pieces) } : {}) })
      if (handle === undefined) throw new Error('The file is closed.')
      for (const piece of pieces) {
        await writeAll(handle, piece, position)
        position += piece.length
      }
    },
    finish: async () => {
      await faultPoint({ kind: 'fsync', path: to })
      await handle?.sync()
      await close()
    },
    close,
  }
}

const openCopy = async (path: string, bytes: number): Promise<fs.FileHandle> => {
  let handle: fs.FileHandle | undefined
  try {
    // The copy has the rights of the original, which may be read-only.
    await fs.chmod(path, 0o644)
    handle = await fs.open(path, 'r+')
    await handle.truncate(bytes)
    return handle
  } catch (error) {
    await handle?.close()
    await unlink(path)
    throw error
  }
}
