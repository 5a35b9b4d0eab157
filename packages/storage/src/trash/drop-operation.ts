import { removeEmptyFolder, removeTree, syncFolder, unlink } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import type { TrashPlaces } from './trash-places.ts'

/** Gives up what an operation has kept. Without its manifest it counts for nothing, however much of the rest is still there. */
export const dropOperation = async ({ folder, manifest, trash }: TrashPlaces): Promise<void> => {
  if (await exists(manifest)) {
    await unlink(manifest)
    await syncFolder(folder)
  }
  await removeTree(folder)
  if (!(await exists(trash))) return
  await syncFolder(trash)
  await removeEmptyFolder(trash)
}
