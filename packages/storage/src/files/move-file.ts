import { lstat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'
import { link, rename, unlink } from './disk.ts'

export const exists = async (path: string): Promise<boolean> => (await identity(path)) !== null

/** Whether two names stand for one file. */
export const isSameInode = async (a: string, b: string): Promise<boolean> => {
  const [first, second] = await Promise.all([identity(a), identity(b)])
  return first !== null && first === second
}

const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']

/** Whether a hard link failed because there is no such thing here. */
export const isWithoutLinks = (error: unknown): boolean => withoutLinks.includes(systemCode(error) ?? '')

/** Gives a file a second name, or, where the file system has no hard links, moves it there. Done already when the second name is taken. */
export const linkOrMove = async (from: string, to: string): Promise<void> => {
  if (await exists(to)) return
  try {
    await link(from, to)
  } catch (error) {
    if (!isWithoutLinks(error)) throw error
    await rename(from, to)
  }
}

/**
 * Gives a file a name that nothing has yet; false, and nothing happens, when something has it by now. Where there are no hard links it loses
 * the old name; elsewhere it keeps both.
 */
export const linkNew = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    if (!isWithoutLinks(error)) throw error
    if (await exists(to)) return false
    await rename(from, to)
    return true
  }
}

export const unlinkIfThere = async (path: string): Promise<void> => {
  if (await exists(path)) await unlink(path)
}

const identity = async (path: string): Promise<string | null> => {
  try {
    const { dev, ino } = await lstat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
    throw error
  }
}
