import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'

/** What a file is known by: size, modification time, and its content. */
export interface FileMark {
  readonly bytes: number
  /** Nanoseconds, as text: more than a number holds. */
  readonly mtime_ns: string
  readonly sha256: string
}

interface HashOptions {
  readonly start?: number
  readonly end?: number
  readonly signal?: AbortSignal | undefined
}

/** SHA-256 of a file, or of its bytes from `start` to before `end`. Never of a DuckDB file that this process has attached: see hashAttachedFile. */
export const hashFile = async (path: string, { start = 0, end, signal }: HashOptions = {}): Promise<string> => {
  const hash = createHash('sha256')
  const handle = await open(path, 'r')
  try {
    let position = start
    const readInto = async (buffer: Buffer): Promise<Buffer> => {
      const length = Math.max(0, Math.min(buffer.length, (end ?? Number.POSITIVE_INFINITY) - position))
      const { bytesRead } = await handle.read(buffer, 0, length, position)
      position += bytesRead
      return buffer.subarray(0, bytesRead)
    }
    const first = await readInto(Buffer.allocUnsafe(firstBytes))
    hash.update(first)
    if (first.length < firstBytes) return hash.digest('hex')
    // One is read into while the other is hashed; new ones for every piece would keep the garbage collector busy.
    let [free, used] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)]
    for (let piece = await readInto(used); piece.length > 0; ) {
      signal?.throwIfAborted()
      const next = readInto(free)
      hash.update(piece)
      piece = await next
      ;[free, used] = [used, free]
    }
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

// Most files end within it, and need no large buffers.
const firstBytes = 64 * 1024
const pieceBytes = 1024 * 1024

export const markFile = async (path: string): Promise<FileMark> => {
  const sha256 = await hashFile(path)
  return { ...(await markWithoutHash(path)), sha256 }
}

export const markWithoutHash = async (path: string): Promise<{ bytes: number; mtime_ns: string }> => {
  const { size, mtimeNs } = await stat(path, { bigint: true })
  return { bytes: Number(size), mtime_ns: String(mtimeNs) }
}

/** Whether the file still is what it was: by size and time, and by its content where a copy has changed the time. */
export const isSameFile = async (path: string, mark: FileMark): Promise<boolean> => {
  const found = await stat(path, { bigint: true }).catch(() => null)
  if (found === null || Number(found.size) !== mark.bytes) return false
  return String(found.mtimeNs) === mark.mtime_ns || (await hashFile(path)) === mark.sha256
}
