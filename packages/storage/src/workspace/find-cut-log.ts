import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import type { InspectionFinding } from './finding.ts'
import type { ResolvedWorkspace } from './resolved-workspace.ts'

/**
 * The log of the store, where it ends inside a change. DuckDB reads such a log up to the last change that is whole and says nothing of
 * the rest. Only for a store that no other program holds: the log of one that is being written ends anywhere.
 */
export const findCutLog = async ({ duckdb }: ResolvedWorkspace): Promise<InspectionFinding[]> => {
  const bytes = duckdb === null ? 0 : await unfinishedBytes(`${duckdb}.wal`)
  if (bytes === 0) return []
  const detail = `store.duckdb.wal ends in the middle of a change: its last ${bytes} bytes are one that was not written to its end, or was cut off. It is in no figure here, nor is what may have followed it; all changes before it are. The file is left as it is.`
  return [{ code: 'log_cut_short', severity: 'warning', count: 1, detail }]
}

/**
 * How many bytes follow the last change that is whole: a log is a head and entries (length, checksum, content), and a change is the
 * entries up to a flush. 0 where there is no log, and for a head that is not known, of which nothing can be said.
 */
const unfinishedBytes = async (path: string): Promise<number> => {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const bytesAt = windowOn(file)
    const start = headLength(await bytesAt(0, longestHead))
    if (start === null) return 0
    return start > size ? size : size - (await endOfWhole(bytesAt, start, size))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}

type BytesAt = (position: number, length: number) => Promise<Buffer>

/** Small changes lie in their hundreds of thousands in a log: not each is a trip to the disk. Fewer bytes come at the end of the file. */
const windowOn = (file: FileHandle): BytesAt => {
  let start = 0
  let held = Buffer.alloc(0)
  return async (position, length) => {
    if (position < start || position + length > start + held.length) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(windowBytes), 0, windowBytes, position)
      start = position
      held = buffer.subarray(0, bytesRead)
    }
    return held.subarray(position - start, position - start + length)
  }
}

const windowBytes = 65_536
const longestHead = 256

/**
 * Where the first entry begins. The head is fields, each a number of 16 bits and a value in groups of 7 bits: the kind of entry (98), the
 * version of the log (2), and in newer stores the id of the store (a list) and a counter. Null for any other.
 */
const headLength = (head: Buffer): number | null => {
  if (head.length < 3 || head[2] !== 98) return null
  let at = 0
  const skipValue = () => {
    while ((head[at++] ?? 0) >= 128);
  }
  while (at + 2 <= head.length) {
    const field = head.readUInt16LE(at)
    at += 2
    if (field === 0xffff) return at
    if (field < 100 || field > 103 || (field === 101 && at < head.length && head[at] !== 2)) return null
    const listed = field === 102 ? (head[at] ?? 0) : 0
    for (let value = 0; value <= listed; value += 1) skipValue()
  }
  return head.length + 1
}

const endOfWhole = async (bytesAt: BytesAt, start: number, size: number): Promise<number> => {
  let whole = start
  let at = start
  while (at + entryHead <= size) {
    const entry = await bytesAt(at, entryHead + 3)
    const next = at + entryHead + Number(entry.readBigUInt64LE())
    if (next > size || next < at + entryHead + 3) break
    const kind = entry[entryHead + 2]
    // A checkpoint says that what is before it has gone into the store: it holds no change of its own.
    if (kind === flush || (kind === checkpoint && whole === at)) whole = next
    at = next
  }
  return whole
}

const entryHead = 16
const flush = 100
const checkpoint = 99
