import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { arrayFileName } from '../arrays/file-name.ts'
import { refuseWithoutSpace } from '../files/refuse-space.ts'
import { measureFolder } from '../workspace/folder-usage.ts'
import type { ResolvedWorkspace } from '../workspace/resolved-workspace.ts'
import { countSource, listDatasetsMerged } from './count-merge.ts'
import type { OpenMerge } from './open-merge.ts'

/** For the store's own growth, the journal and the record. */
const margin = 8 * 1024 * 1024

/**
 * Throws `no_space` before anything is written when the disk of the target cannot hold what comes: of every source the share that is new, and
 * a copy of the array files that grow. An estimate: what runs out on the way is undone.
 */
export const refuseSmallDisk = async (merge: OpenMerge, target: ResolvedWorkspace): Promise<void> => {
  let needed = margin
  for (const source of merge.sources) {
    const { predictions_read, predictions_merged, arrays_added } = await countSource(merge.engine, source)
    const usage = await measureFolder(source.resolved)
    const share = predictions_read === 0 ? 1 : (predictions_merged + arrays_added) / predictions_read
    needed += share * (usage.store.bytes + usage.arrays.bytes + usage.artifacts.bytes)
  }
  for (const name of new Set((await listDatasetsMerged(merge)).map(arrayFileName))) needed += await sizeOf(join(target.arrays, name))
  const { bavail, bsize } = await statfs(target.root)
  refuseWithoutSpace('The merge needs about', { needed, available: bavail * bsize }, 'the target')
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0
