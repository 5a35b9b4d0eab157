import { stat } from 'node:fs/promises'
import { systemCode } from '@nirs-workspace/storage'

/** Whether a file is there; throws when the disk does not say. */
export const isThere = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
