import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'

/** A hash over every name, size, time of change and byte below a folder: equal before and after means nothing was touched. */
export const treeHash = async (folder: string): Promise<string> => {
  const hash = createHash('sha256')
  const names = (await readdir(folder, { recursive: true })).sort()
  for (const path of ['.', ...names].map((name) => join(folder, name))) {
    const status = await lstat(path, { bigint: true })
    hash.update(`${relative(folder, path)}\0${status.mode}\0${status.mtimeNs}\0`)
    if (status.isSymbolicLink()) hash.update(await readlink(path))
    else if (status.isFile()) hash.update(await readFile(path))
  }
  return hash.digest('hex')
}

/** Files below a folder that this process has open, by descriptor (Linux only; elsewhere none are found). */
export const openFilesBelow = async (folder: string): Promise<string[]> => {
  if (process.platform !== 'linux') return []
  const descriptors = await readdir('/proc/self/fd')
  const targets = await Promise.all(
    descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch((error: NodeJS.ErrnoException) => error.code ?? '')),
  )
  return targets.filter((target) => target.startsWith(folder))
}
