import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isStorageError, resolveWorkspace } from '@nirs-workspace/storage'

/** The path itself when it is a workspace, else the workspaces directly inside it. Throws what opening the path throws when there are none. */
export const findWorkspaces = async (path: string): Promise<string[]> => {
  try {
    await resolveWorkspace(path)
    return [path]
  } catch (error) {
    if (!isStorageError(error, 'not_a_workspace')) throw error
    const inside = await workspacesInside(path)
    if (inside.length === 0) throw error
    return inside
  }
}

const workspacesInside = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))) {
    const path = join(folder, entry.name)
    try {
      await resolveWorkspace(path)
      found.push(path)
    } catch (error) {
      if (!isStorageError(error, 'not_a_workspace', 'workspace_not_found')) throw error
    }
  }
  return found.sort()
}
