import { join } from 'node:path'
import { rename, unlink } from './disk.ts'
import { type FileMark, isSameFile } from './hash-file.ts'
import { exists } from './move-file.ts'

/** A file that a job has put in its place, with paths from the workspace's folder. */
export interface PlacedFile {
  readonly target: string
  readonly mark: FileMark
  /** Where the file that had this name before is kept; null when there was none. */
  readonly replaced: string | null
}

/**
 * Undoes the placing of files: what lay there before comes back. A file that somebody has changed since stays: it holds their rows. Can be
 * repeated. The folder of what was replaced goes afterwards, and with it the second name of a file that nothing had taken the place of yet.
 */
export const takeBack = async (root: string, placed: readonly PlacedFile[]): Promise<void> => {
  const at = (path: string) => join(root, path)
  for (const { target, replaced, mark } of placed) {
    // Without its second name a file has never left its place, or is back there: also one that is the same as what was to come.
    if (replaced !== null && !(await exists(at(replaced)))) continue
    const isOurs = await isSameFile(at(target), mark)
    if (replaced === null) {
      if (isOurs) await unlink(at(target))
    } else if (isOurs || !(await exists(at(target)))) await rename(at(replaced), at(target))
  }
}
