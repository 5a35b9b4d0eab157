import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
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

/** For jobs that put another store in the place of this one: kept would be the link, and not the store that it leads to. */
export const refuseLinkedStore = async ({ store }: Layout): Promise<void> => {
  if ((await lookAtLink(store))?.isSymbolicLink() !== true) return
  throw new StorageError('path_not_allowed', `${basename(store)} is a link to another place. Nothing was changed.`, {
    path: store,
    hint: 'Open the workspace that has the store itself, or put a copy of the store here in the place of the link.',
  })
}

const refuseReadOnly = async (layout: Layout): Promise<void> => {
  const found = await findReadOnly(layout)
  if (found === null) return
  const { path, name, cause } = found
  const hint = 'Change its permissions or mount it for writing, or work on a copy.'
  throw new StorageError('read_only', `${name} cannot be written to. Nothing was changed.`, { path, hint }, cause)
}

interface ReadOnlyFolder {
  readonly path: string
  /** At the beginning of a sentence. */
  readonly name: string
  readonly cause: unknown
}

/** The first of the folders that jobs write into that cannot be written to; null when all can. */
export const findReadOnly = async ({ root, arrays, control }: Layout): Promise<ReadOnlyFolder | null> => {
  for (const path of [root, arrays, control]) {
    try {
      await access(path, constants.W_OK)
    } catch (cause) {
      const code = systemCode(cause) ?? ''
      if (path !== root && code === 'ENOENT') continue
      if (!['EROFS', 'EACCES', 'EPERM'].includes(code)) throw cause
      return { path, name: path === root ? 'The folder of the workspace' : `The folder ${basename(path)} of the workspace`, cause }
    }
  }
  return null
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

/** The same for a folder and all above it that are in the workspace. */
export const refuseLinkedWay = async ({ root }: Layout, folder: string): Promise<void> => {
  for (let path = folder; path.length > root.length; path = dirname(path)) await refuseLink(path)
}
