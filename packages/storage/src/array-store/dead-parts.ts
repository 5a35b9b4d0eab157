import { join } from 'node:path'
import { unlinkIfThere } from '../files/move-file.ts'
import { namesIn } from '../workspace/look-at.ts'

// What this program leaves behind when it dies: no other program takes such a name for its own, or for rubbish.
const partName = /^\.nirs-(\d+)-[0-9a-f-]{36}\.part$|^\.(\d+)-[0-9a-f-]{36}\.tmp$/

/** Names of files in `arrays/` that another process was making: a dead one, when asked under the workspace lock. */
export const deadParts = async (arrays: string): Promise<string[]> =>
  (await namesIn(arrays)).filter((name) => {
    const owner = partName.exec(name)
    return owner !== null && Number(owner[1] ?? owner[2]) !== process.pid
  })

/** Removes them. Only under the workspace lock. */
export const sweepParts = async (arrays: string): Promise<void> => {
  for (const name of await deadParts(arrays)) await unlinkIfThere(join(arrays, name))
}
