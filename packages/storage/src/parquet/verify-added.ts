import { type FileHandle, open } from 'node:fs/promises'
import { StorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import type { AddedData, EncodedEntry } from './array-file-writer.ts'
import { failureOf, type GroupAnswer, type GroupToRead } from './group-messages.ts'
import { chunkPlaces } from './group-places.ts'
import { GroupThreads } from './group-threads.ts'
import { ownKeys } from './own-metadata.ts'
import { scanFooter } from './scan-footer.ts'
import { intAt } from './thrift-fields.ts'
import { workAhead } from './work-ahead.ts'

const trailerBytes = 8
// RowGroup of the specification.
const totalByteSize = 2

/**
 * Reads back what was added to a file: its footer, its bytes, and every value of the row groups that were encoded anew. Throws
 * `verification_failed`; the file has no name yet that anybody reads.
 */
export const verifyAdded = async (path: string, added: AddedData, threads?: GroupThreads): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await verifyFooter(handle, added)
    const [bytes, values] = await Promise.allSettled([verifyBytes(path, added), verifyValues(handle, added, threads)])
    for (const result of [bytes, values]) if (result.status === 'rejected') throw result.reason
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error
    throw differs(path, error)
  } finally {
    await handle.close()
  }
}

const verifyBytes = async (path: string, { start, end, sha256 }: AddedData): Promise<void> => {
  if ((await hashFile(path, { start, end })) !== sha256) throw new Error('its bytes are others')
}

const verifyValues = async (handle: FileHandle, added: AddedData, threads: GroupThreads | undefined): Promise<void> => {
  const desks = threads ?? new GroupThreads(added.encoded.reduce((bytes, group) => bytes + valueBytes(group), 0))
  try {
    const check = (group: EncodedEntry) => desks.ask({ kind: 'check', group: groupToRead(handle, added, group) })
    for await (const { result } of workAhead(added.encoded, { width: desks.width, bytesOf: valueBytes }, check)) refuseDamage(result, added)
  } finally {
    if (threads === undefined) await desks.close()
  }
}

const valueBytes = ({ metadata }: EncodedEntry): number => intAt(metadata, totalByteSize)

// The checksums were taken of the values before they were encoded.
const groupToRead = (handle: FileHandle, { forms, end }: AddedData, group: EncodedEntry): GroupToRead => {
  const places = chunkPlaces(group)
  const chunks = forms.map((form, index) => {
    const chunk = places[index]
    if (chunk === undefined) throw new Error(`${form.name} is missing`)
    return { form, ...chunk, checksum: group.checksums.get(form.name) }
  })
  return { fd: handle.fd, end, rows: group.rows, chunks }
}

const refuseDamage = (answer: GroupAnswer, { forms }: AddedData): void => {
  if (answer.kind !== 'checked') throw failureOf(answer)
  const damaged = answer.reasons.findIndex((reason) => reason !== null)
  if (damaged >= 0) throw new Error(`values of ${forms[damaged]?.name}: ${answer.reasons[damaged]}`)
}

const verifyFooter = async (handle: FileHandle, added: AddedData): Promise<void> => {
  const { size } = await handle.stat()
  const found = await readAt(handle, added.end, added.footer.length)
  if (size !== added.end + added.footer.length || Buffer.compare(found, added.footer) !== 0) throw new Error('its footer is another')
  const { rows, keyValues, crcWithoutLast } = scanFooter(found.subarray(0, -trailerBytes))
  if (rows !== added.rows || keyValues.get(ownKeys.footer) !== crcWithoutLast) throw new Error('its footer does not add up')
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
