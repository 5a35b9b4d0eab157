import { createHash } from 'node:crypto'
import { isAbsolute, join } from 'node:path'
import { type PinnedFile, pinFile } from '../arrays/pin-file.ts'
import { isStorageError, StorageError } from '../errors.ts'

/** A model file held open while it is read: replacing the name meanwhile changes nothing. */
export interface OpenArtifact {
  readonly pinned: PinnedFile
  readonly bytes: number
  readonly sha256: string
}

/** Opens the file of an artifact row and hashes it; null when there is none. A link, or a path that leads outside, is `artifact_corrupt`. */
export const openArtifact = async (root: string, artifactPath: string): Promise<OpenArtifact | null> => {
  const pinned = await pinOrNull(root, artifactPath)
  if (pinned === null) return null
  try {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of readPinned(pinned)) {
      hash.update(piece)
      bytes += piece.byteLength
    }
    return { pinned, bytes, sha256: hash.digest('hex') }
  } catch (error) {
    await pinned.close()
    throw error
  }
}

/** Whether something else than a regular file inside artifacts/ is what the path of an artifact row leads to. Nothing is read. */
export const isOddArtifact = async (root: string, artifactPath: string): Promise<boolean> => {
  try {
    const pinned = await pinOrNull(root, artifactPath)
    await pinned?.close()
    return false
  } catch (error) {
    if (isStorageError(error, 'artifact_corrupt')) return true
    throw error
  }
}

/** The bytes from the beginning, as often as wanted; the file stays open. Pieces are no larger than the file: most models are small, and many. */
export async function* readPinned({ handle }: PinnedFile): AsyncGenerator<Uint8Array> {
  const { size } = await handle.stat()
  for (let position = 0; ; ) {
    const length = Math.min(mostAtOnce, Math.max(1, size - position))
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

const mostAtOnce = 2 ** 20

/** The hash that a row states, without the prefix that one of nirs4all's two writers puts before it; null when it is none. */
export const statedHash = (contentHash: string): string | null =>
  /^(?:sha256:)?([0-9a-f]{64})$/i.exec(contentHash)?.[1]?.toLowerCase() ?? null

const pinOrNull = async (root: string, artifactPath: string): Promise<PinnedFile | null> => {
  // Below artifacts/ and nothing else, also where an absolute path leads there: elsewhere it leads somewhere else.
  if (isAbsolute(artifactPath) || artifactPath.split('/').includes('..')) throw oddArtifact(artifactPath)
  try {
    return await pinFile(join(root, 'artifacts'), artifactPath)
  } catch (error) {
    if (isStorageError(error, 'arrays_missing')) return null
    if (!isStorageError(error, 'arrays_corrupt')) throw error
    throw oddArtifact(artifactPath, error)
  }
}

const oddArtifact = (path: string, cause?: unknown) =>
  new StorageError('artifact_corrupt', `artifacts/${path} is not a regular file that can be read. Nothing was changed.`, { path }, cause)
