import { stat } from 'node:fs/promises'
import { StorageError, systemCode } from '../errors.ts'
import { look } from '../workspace/look-at.ts'

/** Throws `workspace_not_found` when there is no folder at the path, which may be mistyped. What else is wrong with it others tell. */
/** The same for what is there and no folder, where one may be made. */
export const refuseFile = async (root: string): Promise<void> => {
  const found = await look(root)
  if (found === null || found.isDirectory()) return
  const hint = 'Choose another path.'
  throw new StorageError('workspace_not_found', `${root} is no folder. Nothing was created.`, { path: root, hint })
}

export const requireFolder = async (root: string): Promise<void> => {
  let cause: unknown
  try {
    if ((await stat(root)).isDirectory()) return
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') return
    cause = error
  }
  const hint = 'Check the path, or open it with create to make a new folder.'
  throw new StorageError('workspace_not_found', `There is no folder ${root}. Nothing was created.`, { path: root, hint }, cause)
}
