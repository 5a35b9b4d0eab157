import { CheckedFile } from './checked-file.ts'
import { pinFile } from './pin-file.ts'

/**
 * Every reader serves a flipped bit inside a page as a good number. Files that we wrote carry checksums, and an export reads them whole:
 * `arrays_corrupt` when anything is not as it was written, or when a second reader cannot decode what another program wrote.
 */
export const refuseChanged = async (root: string, path: string, signal?: AbortSignal): Promise<void> => {
  const pinned = await pinFile(root, path)
  try {
    const checked = await CheckedFile.open(path, pinned)
    await checked.requireAllSound(pinned, signal)
    await checked.requireDecodable(pinned, signal)
  } finally {
    await pinned.close()
  }
}
