import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StorageError } from '../errors.ts'
import { removeTree, syncFolder, unlink } from '../files/disk.ts'
import { exists } from '../files/move-file.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { findProof } from './proof-file.ts'
import { refuseLinkedWay } from './refuse-layout.ts'
import { underLock } from './under-lock.ts'
import { type Layout, layoutOf } from './workspace-layout.ts'

/** Deletes the original that the last migration kept, with its log and the array files it replaced. The proof stays. Cannot be undone. */
export const deleteBackup = async (path: string): Promise<{ deleted: string[]; bytes: number }> => {
  const layout = layoutOf((await resolveWorkspace(path)).root)
  const untouched = 'Some of the backup may be gone; the rest goes when it is deleted again.'
  return underLock(layout, { jobId: 'delete-backup', kind: 'delete-backup', name: 'deletion', untouched }, () => deleteKept(layout))
}

const deleteKept = async (layout: Layout): Promise<{ deleted: string[]; bytes: number }> => {
  const { root } = layout
  const found = await findProof(layout)
  if (found === null) throw noBackup()
  const { original, replaced } = found.proof
  const folder = dirname(found.path)
  const others = [...(original.wal === null ? [] : [original.wal.path]), ...replaced.map((file) => file.kept_as)]
  const isThere = await Promise.all([original.path, ...others].map((name) => exists(join(root, name))))
  if (!isThere.includes(true)) throw noBackup()
  for (const { kept_as } of replaced) await refuseLinkedWay(layout, dirname(join(root, kept_as)))
  await refuseLinkedWay(layout, join(folder, 'replaced'))
  const deleted: string[] = []
  let bytes = 0
  const remove = async (name: string): Promise<void> => {
    const file = join(root, name)
    if (!(await exists(file))) return
    bytes += (await stat(file)).size
    await unlink(file)
    deleted.push(name)
  }
  for (const name of others) await remove(name)
  await removeTree(join(folder, 'replaced'))
  await syncFolder(folder)
  await syncFolder(root)
  // Once the rest has gone for good: by the original everybody sees that there is a backup.
  await remove(original.path)
  await syncFolder(root)
  return { deleted, bytes }
}

const noBackup = () =>
  new StorageError('backup_not_found', 'There is no backup of a migration to delete. Nothing was changed.', {
    hint: 'It may have been deleted before.',
  })
