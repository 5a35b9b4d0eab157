import type { FileHandle } from 'node:fs/promises'

/** Writes all bytes there: of what does not fit on the disk, a call may write a part without an error, and only the next one says why. */
export const writeAll = async (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
