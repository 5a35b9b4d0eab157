import { removeEmptyFolder, removeTree, syncFolder, unlink } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import type { Layout } from '../migration/workspace-layout.ts'
import { isRealFolder, namesIn } from '../workspace/look-at.ts'
import { type TrashPlaces, trashFolder, trashPlaces } from './trash-places.ts'

/** Gives up what an operation has kept. Without its manifest it counts for nothing, however much of the rest is still there. */
export const dropOperation = async ({ folder, manifest, trash }: TrashPlaces): Promise<void> => {
  if (await exists(manifest)) {
    await ((await isRealFolder(manifest)) ? removeTree(manifest) : unlink(manifest))
    await syncFolder(folder)
  }
  await removeTree(folder)
  if (!(await exists(trash))) return
  await syncFolder(trash)
  await removeEmptyFolder(trash)
}

/** Folders of operations that were being given up, or had not been kept, when their job died. Other folders are not ours to remove. */
export const strayOperations = async (layout: Layout): Promise<TrashPlaces[]> => {
  if (!(await isRealFolder(trashFolder(layout)))) return []
  const strays: TrashPlaces[] = []
  for (const name of await namesIn(trashFolder(layout))) {
    if (!/^[a-z][A-Za-z0-9_-]{0,140}-[0-9a-f]{8}$/.test(name)) continue
    const places = trashPlaces(layout, name)
    if ((await isRealFolder(places.folder)) && !(await exists(places.manifest))) strays.push(places)
  }
  return strays
}
