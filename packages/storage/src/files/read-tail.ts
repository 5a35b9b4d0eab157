import { closeSync, constants, fstatSync, open, read } from 'node:fs'

/** The last bytes of a file; empty for what is no file. */
export interface FileTail {
  readonly isFile: boolean
  readonly size: number
  readonly tail: Buffer
}

/**
 * The last `bytes` of a file, all of it when it is shorter. Follows no link and waits for no pipe; throws what the system says. For many
 * small files every trip to another thread takes longer than the reading: size and closing are asked of the open descriptor here.
 */
export const readTail = async (path: string, bytes: number): Promise<FileTail> => {
  const fd = await opened(path)
  try {
    const status = fstatSync(fd)
    if (!status.isFile()) return { isFile: false, size: status.size, tail: Buffer.alloc(0) }
    const length = Math.min(status.size, bytes)
    return { isFile: true, size: status.size, tail: await readAt(fd, length, status.size - length) }
  } finally {
    closeSync(fd)
  }
}

const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const opened = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    open(path, flags, (error, fd) => (error === null ? resolve(fd) : reject(error)))
  })

const readAt = (fd: number, length: number, position: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const buffer = Buffer.allocUnsafe(length)
    read(fd, buffer, 0, length, position, (error, bytesRead) => (error === null ? resolve(buffer.subarray(0, bytesRead)) : reject(error)))
  })
