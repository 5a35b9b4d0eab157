import { close, constants, fstat, open, read } from 'node:fs'

/** The last bytes of a file; empty for what is no file. */
export interface FileTail {
  readonly isFile: boolean
  readonly size: number
  readonly tail: Buffer
}

/**
 * The last `bytes` of a file, all of it when it is shorter. Follows no link and waits for no pipe; throws what the system says. In
 * callbacks: for many small files the promises of `node:fs/promises` take longer than the reading.
 */
export const readTail = (path: string, bytes: number): Promise<FileTail> =>
  new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), (unopened, fd) => {
      if (unopened !== null) return reject(unopened)
      // What closing says of a file that was only read changes nothing.
      const end = (error: Error | null, found: FileTail) => close(fd, () => (error === null ? resolve(found) : reject(error)))
      fstat(fd, (unknown, status) => {
        const none = { isFile: false, size: unknown === null ? status.size : 0, tail: Buffer.alloc(0) }
        if (unknown !== null || !status.isFile()) return end(unknown, none)
        const buffer = Buffer.allocUnsafe(Math.min(status.size, bytes))
        read(fd, buffer, 0, buffer.length, status.size - buffer.length, (unread, bytesRead) =>
          end(unread, { isFile: true, size: status.size, tail: buffer.subarray(0, bytesRead) }),
        )
      })
    })
  })
