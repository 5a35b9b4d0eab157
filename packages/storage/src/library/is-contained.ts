import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lstatIfThere } from './library-folder.ts'

/** Whether every file below a folder is below the other one too, byte for byte. Links and devices never are. */
export const isContained = async (folder: string, other: string): Promise<boolean> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [path, twin] = [join(folder, entry.name), join(other, entry.name)]
    const same = entry.isDirectory() ? await isFolderIn(path, twin) : entry.isFile() && (await isSameFile(path, twin))
    if (!same) return false
  }
  return true
}

const isFolderIn = async (path: string, twin: string): Promise<boolean> =>
  (await lstatIfThere(twin))?.isDirectory() === true && isContained(path, twin)

export const isSameFile = async (path: string, twin: string): Promise<boolean> => {
  const [left, right] = await Promise.all([lstatIfThere(path), lstatIfThere(twin)])
  if (left === undefined || right === undefined || !left.isFile() || !right.isFile() || left.size !== right.size) return false
  return (await readFile(path)).equals(await readFile(twin))
}
