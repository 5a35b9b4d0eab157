import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

const absent = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL']

const orAbsent = async <T>(look: () => Promise<T>): Promise<T | null> => {
  try {
    return await look()
  } catch (error) {
    if (absent.includes(systemCode(error) ?? '')) return null
    throw error
  }
}

/** Looking without opening: what is behind a path, following links; null when nothing is. */
export const look = (path: string): Promise<Stats | null> => orAbsent(() => stat(path))

/** As `look`, for the link itself. */
export const lookAtLink = (path: string): Promise<Stats | null> => orAbsent(() => lstat(path))

export const isFile = async (path: string): Promise<boolean> => (await look(path))?.isFile() === true

export const isFolder = async (path: string): Promise<boolean> => (await look(path))?.isDirectory() === true

/** As `isFolder`, false for a link to one. */
export const isRealFolder = async (path: string): Promise<boolean> => (await lookAtLink(path))?.isDirectory() === true

/** The names in a folder, sorted by code unit; none when there is no such folder. */
export const namesIn = async (folder: string): Promise<string[]> => ((await orAbsent(() => readdir(folder))) ?? []).sort()
