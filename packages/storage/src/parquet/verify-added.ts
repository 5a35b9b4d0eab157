import { type FileHandle, open } from 'node:fs/promises'
import { StorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import type { AddedData, EncodedEntry } from './array-file-writer.ts'
import { columnChecksum } from './block-checksum.ts'
import type { ColumnForm } from './column-form.ts'
import { decodeChunk } from './decode-chunk.ts'
import { chunkPlace } from './group-places.ts'
import { ownKeys } from './own-metadata.ts'
import { scanFooter } from './scan-footer.ts'

const trailerBytes = 8

/**
 * Reads back what was added to a file: its footer, its bytes, and every value of the row groups that were encoded anew. Throws
 * `verification_failed`; the file has no name yet that anybody reads.
 */
export const verifyAdded = async (path: string, added: AddedData): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await verifyFooter(handle, added)
    if ((await hashFile(path, { start: added.start, end: added.end })) !== added.sha256) throw new Error('its bytes are others')
    for (const group of added.encoded) await verifyGroup(handle, added.forms, group)
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error
    throw differs(path, error)
  } finally {
    await handle.close()
  }
}

const verifyFooter = async (handle: FileHandle, added: AddedData): Promise<void> => {
  const { size } = await handle.stat()
  const found = await readAt(handle, added.end, added.footer.length)
  if (size !== added.end + added.footer.length || Buffer.compare(found, added.footer) !== 0) throw new Error('its footer is another')
  const { rows, keyValues, crcWithoutLast } = scanFooter(found.subarray(0, -trailerBytes))
  if (rows !== added.rows || keyValues.get(ownKeys.footer) !== crcWithoutLast) throw new Error('its footer does not add up')
}

// The checksums were taken of the values before they were encoded.
const verifyGroup = async (handle: FileHandle, forms: readonly ColumnForm[], group: EncodedEntry): Promise<void> => {
  for (const [index, form] of forms.entries()) {
    const chunk = chunkPlace(group, index)
    if (chunk === null) throw new Error(`${form.name} is missing`)
    const column = await decodeChunk(form, await readAt(handle, chunk.offset, chunk.bytes), chunk.values, group.rows)
    if (columnChecksum(column) !== group.checksums.get(form.name)) throw new Error(`values of ${form.name} are others`)
  }
}

const readAt = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  if (bytesRead !== length) throw new Error('it ends too early')
  return buffer
}

const differs = (path: string, cause: Error) =>
  new StorageError(
    'verification_failed',
    `What was written, read back, differs: ${cause.message}. The workspace is as it was.`,
    { path, hint: 'Try again; if it fails again, check the disk.' },
    cause,
  )
