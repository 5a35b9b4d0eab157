import { lstat, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { makeFolder, syncFolder } from '../files/disk.ts'

export const trashName = '.trash'
export const stagingName = '.staging'

/** The `library` folder of a workspace, with every link above it resolved. It need not exist. */
export const locateLibrary = async (workspace: string): Promise<string> => {
  try {
    return join(await realpath(workspace), 'library')
  } catch (error) {
    throw new StorageError(
      'workspace_not_found',
      `There is no folder ${workspace}. Nothing was changed.`,
      { path: workspace, hint: 'Check the path.' },
      error,
    )
  }
}

/** Whether a folder is there. A link or a file in its place is refused: what we write would land elsewhere. */
export const hasRealFolder = async (path: string): Promise<boolean> => {
  const status = await lstatIfThere(path)
  if (status === undefined) return false
  if (status.isDirectory()) return true
  throw new StorageError('path_not_allowed', `${path} is not a folder of the workspace itself. Nothing was changed.`, {
    path,
    hint: 'Put a folder there instead of a link or a file.',
  })
}

/** Makes a folder durable in its parent, unless it is there. */
export const ensureFolder = async (path: string): Promise<void> => {
  if (await hasRealFolder(path)) return
  await makeFolder(path)
  await syncFolder(dirname(path))
}

export const syncFolderIfThere = async (path: string): Promise<void> => {
  try {
    await syncFolder(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

export const isFileAt = async (path: string): Promise<boolean> => (await lstatIfThere(path))?.isFile() === true

export const lstatIfThere = async (path: string) => {
  try {
    return await lstat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}
