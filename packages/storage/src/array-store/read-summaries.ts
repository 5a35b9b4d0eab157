import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { mapBounded } from '../datasets/map-bounded.ts'
import { systemCode } from '../errors.ts'
import { type FileSummary, ownKeys, parseSummary } from '../parquet/own-metadata.ts'
import { type ScannedFooter, scanFooter } from '../parquet/scan-footer.ts'
import { ArrayFolder } from './array-folder.ts'
import type { SummaryOfFile } from './array-reports.ts'

const atOnce = 16
const trailerBytes = 8
// Holds the footer of most files.
const tailBytes = 64 * 1024
const largestFooter = 256 * 1024 * 1024

/** The summaries of all array files of a workspace, from their footers alone: what many files hold, at a glance. */
export const readSummaries = async (root: string): Promise<SummaryOfFile[]> => {
  const folder = new ArrayFolder(root)
  const found = await mapBounded(await folder.names(), atOnce, (name) => readOne(join(folder.path, name), `arrays/${name}`))
  return found.filter((one) => one !== null)
}

/** Null when the file is gone. Links, pipes and what is no Parquet file have no rows and no summary. */
const readOne = async (path: string, file: string): Promise<SummaryOfFile | null> => {
  const handle = await openQuietly(path)
  if (handle === null) return null
  if (handle === 'refused') return { file, bytes: 0, rows: 0, summary: null }
  try {
    const status = await handle.stat()
    const footer = status.isFile() ? await readFooterOf(handle, status.size) : null
    return { file, bytes: status.size, rows: footer?.rows ?? 0, summary: footer === null ? null : believed(footer) }
  } finally {
    await handle.close()
  }
}

const openQuietly = async (path: string): Promise<FileHandle | 'refused' | null> => {
  try {
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    return code === 'ENOENT' ? null : 'refused'
  }
}

const readFooterOf = async (handle: FileHandle, size: number): Promise<ScannedFooter | null> => {
  const tail = await readAt(handle, Math.max(0, size - tailBytes), Math.min(size, tailBytes))
  if (tail.length < trailerBytes || tail.toString('latin1', tail.length - 4) !== 'PAR1') return null
  const length = tail.readUInt32LE(tail.length - trailerBytes)
  const start = size - trailerBytes - length
  if (start < 4 || length > largestFooter) return null
  const isInTail = length + trailerBytes <= tail.length
  const bytes = isInTail
    ? tail.subarray(tail.length - trailerBytes - length, tail.length - trailerBytes)
    : await readAt(handle, start, length)
  return scanned(bytes)
}

const scanned = (bytes: Buffer): ScannedFooter | null => {
  try {
    return scanFooter(bytes)
  } catch (error) {
    // Whatever stands there is not a footer.
    if (error instanceof Error) return null
    throw error
  }
}

/** A footer that has changed since it was sealed says nothing that counts; nor does one that tells of more rows than there are. */
const believed = ({ rows, keyValues, crcWithoutLast }: ScannedFooter): FileSummary | null => {
  if (keyValues.get(ownKeys.footer) !== crcWithoutLast) return null
  const summary = parseSummary(keyValues.get(ownKeys.summary))
  return summary !== null && summary.rows <= rows ? summary : null
}

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
