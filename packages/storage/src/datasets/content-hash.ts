import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

const sample = 64 * 1024
const chunk = 1024 * 1024

/** 16 hex digits: MD5 over the first 64 kB, the last 64 kB of what is longer than 128 kB, and the size in decimal. A filter, no proof. */
export const quickHash = async (handle: FileHandle, size: number): Promise<string> => {
  const hash = createHash('md5').update(await readAt(handle, 0, Math.min(sample, size)))
  if (size > sample * 2) hash.update(await readAt(handle, size - sample, sample))
  return hash.update(String(size)).digest('hex').slice(0, 16)
}

/** SHA-256 of the whole file as 64 hex digits, 1 MB in memory at a time. */
export const fullHash = async (handle: FileHandle, signal?: AbortSignal): Promise<string> => {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(chunk)
  for (let position = 0; ; ) {
    signal?.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, chunk, position)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
