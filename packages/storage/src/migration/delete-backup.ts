import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StorageError } from '../errors.ts'
import { removeTree, syncFolder, unlink } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import { acquireWorkspaceLock } from '../files/workspace-lock.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { findProof } from './proof-file.ts'
import { recoverUnderLock } from './recover-workspace.ts'
import { refuseLinkedWay } from './refuse-layout.ts'
import { layoutOf } from './workspace-layout.ts'

/** Deletes the original that the last migration kept, with its log and the array files it replaced. The proof stays. Cannot be undone. */
export const deleteBackup = async (path: string): Promise<{ deleted: string[]; bytes: number }> => {
  const { root } = await resolveWorkspace(path)
  const layout = layoutOf(root)
  const lock = await acquireWorkspaceLock(root, { jobId: 'delete-backup', kind: 'delete-backup' })
  try {
    await recoverUnderLock(layout)
    const found = await findProof(layout)
    if (found === null || !(await exists(join(root, found.proof.original.path)))) throw noBackup()
    const { original, replaced } = found.proof
    for (const { kept_as } of replaced) await refuseLinkedWay(layout, dirname(join(root, kept_as)))
    await refuseLinkedWay(layout, join(dirname(found.path), 'replaced'))
    const names = [original.path, ...(original.wal === null ? [] : [original.wal.path]), ...replaced.map((file) => file.kept_as)]
    const deleted: string[] = []
    let bytes = 0
    for (const name of names) {
      const file = join(root, name)
      if (!(await exists(file))) continue
      bytes += (await stat(file)).size
      await unlink(file)
      deleted.push(name)
    }
    await removeTree(join(dirname(found.path), 'replaced'))
    await syncFolder(dirname(found.path))
    await syncFolder(root)
    return { deleted, bytes }
  } finally {
    await lock.release()
  }
}

const noBackup = () =>
  new StorageError('backup_not_found', 'There is no backup of a migration to delete. Nothing was changed.', {
    hint: 'It may have been deleted before.',
  })
