import { readFile } from 'node:fs/promises'
import { systemCode } from '../errors.ts'

/** The text of a file; null when it is not there. */
export const readText = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null
    throw error
  }
}
