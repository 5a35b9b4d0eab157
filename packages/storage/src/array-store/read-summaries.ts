import { join } from 'node:path'
import { mapBounded } from '../datasets/map-bounded.ts'
import { systemCode } from '../errors.ts'
import { type FileTail, readTail } from '../files/read-tail.ts'
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
  const found = await readQuietly(path)
  if (found === null) return null
  if (found === 'refused') return { file, bytes: 0, rows: 0, summary: null }
  const footer = found.isFile ? await footerIn(path, found) : null
  return { file, bytes: found.size, rows: footer?.rows ?? 0, summary: footer === null ? null : believed(footer) }
}

const readQuietly = async (path: string, bytes = tailBytes): Promise<FileTail | 'refused' | null> => {
  try {
    return await readTail(path, bytes)
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    return code === 'ENOENT' ? null : 'refused'
  }
}

const footerIn = async (path: string, { size, tail }: FileTail): Promise<ScannedFooter | null> => {
  if (tail.length < trailerBytes || tail.toString('latin1', tail.length - 4) !== 'PAR1') return null
  const length = tail.readUInt32LE(tail.length - trailerBytes)
  if (size - trailerBytes - length < 4 || length > largestFooter) return null
  if (length + trailerBytes <= tail.length) return scanned(tail.subarray(tail.length - trailerBytes - length, tail.length - trailerBytes))
  const whole = await readQuietly(path, length + trailerBytes)
  // Another file by now: its own footer, if any, is for the next look.
  if (whole === null || whole === 'refused' || whole.size !== size) return null
  return scanned(whole.tail.subarray(0, length))
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
