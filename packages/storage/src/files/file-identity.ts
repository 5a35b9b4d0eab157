import { stat } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

/** Which file it is and in which state, without opening it: device, inode, size and modification time; null when it is not there. */
export const identityOf = async (path: string): Promise<string | null> => {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}
