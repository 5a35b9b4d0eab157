import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'

/** What a file is known by: size, modification time, and its content. */
export interface FileMark {
  readonly bytes: number
  /** Nanoseconds, as text: more than a number holds. */
  readonly mtime_ns: string
  readonly sha256: string
}

/** SHA-256 of a file, or of its bytes from `start` to before `end`. Never of a DuckDB file that this process has attached: see hashAttachedFile. */
export const hashFile = async (path: string, { start = 0, end }: { start?: number; end?: number } = {}): Promise<string> => {
  const hash = createHash('sha256')
  if (end !== undefined && end <= start) return hash.digest('hex')
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024, start, ...(end === undefined ? {} : { end: end - 1 }) }), hash)
  return hash.digest('hex')
}

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
