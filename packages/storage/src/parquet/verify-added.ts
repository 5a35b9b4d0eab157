import { StorageError } from '../errors.ts'
import { hashFile } from '../files/hash-file.ts'
import type { AddedData } from './array-file-writer.ts'
import { GroupFile } from './group-file.ts'

/**
 * Reads back what was added to a file: its footer, its bytes, and every value of the row groups that were encoded anew. Throws
 * `verification_failed`; the file has no name yet that anybody reads.
 */
export const verifyAdded = async (path: string, added: AddedData): Promise<void> => {
  const file = await openWritten(path)
  try {
    if (file.rows !== added.rows || file.footer.start !== added.end) throw differs(path, 'its footer tells of other rows')
    if ((await hashFile(path, { start: added.start, end: added.end })) !== added.sha256) throw differs(path, 'its bytes are others')
    for (const group of added.encoded) await readBack(file, group)
  } finally {
    await file.close()
  }
}

// The checksums in the footer were taken of the values before they were encoded.
const readBack = async (file: GroupFile, group: number): Promise<void> => {
  try {
    await file.readGroup(group)
  } catch (error) {
    throw differs(file.path, error instanceof Error ? error.message : String(error), error)
  }
}

const openWritten = async (path: string): Promise<GroupFile> => {
  try {
    return await GroupFile.open(path)
  } catch (error) {
    throw differs(path, error instanceof Error ? error.message : String(error), error)
  }
}

const differs = (path: string, what: string, cause?: unknown) =>
  new StorageError(
    'verification_failed',
    `What was written, read back, differs: ${what}. The workspace is as it was.`,
    { path, hint: 'Try again; if it fails again, check the disk.' },
    cause,
  )
