import { join } from 'node:path'
import { unlink } from './disk.ts'
import { type FileMark, isSameFile } from './hash-file.ts'
import { exists, isSameInode, moveBack } from './move-file.ts'

/** A file that a job has put in its place, with paths from the workspace's folder. */
export interface PlacedFile {
  readonly target: string
  readonly mark: FileMark
  /** Where the file that had this name before is kept; null when there was none. */
  readonly replaced: string | null
}

/** Undoes the placing of files: what lay there before comes back. A file that somebody has changed since stays: it holds their rows. Can be repeated. */
export const takeBack = async (root: string, placed: readonly PlacedFile[]): Promise<void> => {
  const at = (path: string) => join(root, path)
  for (const { target, replaced, mark } of placed) {
    const isOurs = await isSameFile(at(target), mark)
    if (replaced !== null && (await exists(at(replaced)))) {
      if (isOurs || !(await exists(at(target))) || (await isSameInode(at(target), at(replaced)))) await moveBack(at(replaced), at(target))
    } else if (isOurs) await unlink(at(target))
  }
}
