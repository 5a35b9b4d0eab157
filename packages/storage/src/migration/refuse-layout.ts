import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { StorageError, systemCode } from '../errors.ts'
import { lookAtLink } from '../workspace/look-at.ts'
import type { Layout } from './workspace-layout.ts'

/** What must be true of the folder before anything is written into it: it may be written to, and what is inside it is really there. */
export const refuseLayout = async (layout: Layout): Promise<void> => {
  await refuseReadOnly(layout)
  await refuseLinks(layout)
}

export const refuseLinks = async (layout: Layout): Promise<void> => {
  for (const path of [layout.arrays, layout.control]) await refuseLink(path)
}

const refuseReadOnly = async ({ root }: Layout): Promise<void> => {
  try {
    await access(root, constants.W_OK)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error
    throw new StorageError(
      'read_only',
      'The folder of the workspace cannot be written to. Nothing was changed.',
      { path: root, hint: 'Change its permissions or mount it for writing, or work on a copy.' },
      error,
    )
  }
}

/** A folder that is to be written into, or nothing yet. */
export const refuseLink = async (path: string): Promise<void> => {
  const found = await lookAtLink(path)
  if (found === null || found.isDirectory()) return
  const what = found.isSymbolicLink() ? 'a link to another place' : 'not a folder'
  throw new StorageError('path_not_allowed', `${path.split(/[/\\]/).at(-1)} is ${what}. Nothing was changed.`, {
    path,
    hint: 'Put the folder itself into the workspace: what a job writes must lie on the same disk as the store, and inside the workspace.',
  })
}
