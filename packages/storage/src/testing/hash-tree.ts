import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * SHA-256 over every name, kind, size, time of change, mode and byte below a folder (the folder's own time included): equal before and
 * after means that nothing was touched. Never call it on a store that this process has open.
 */
export const hashTree = async (folder: string): Promise<string> => {
  const hash = createHash('sha256')
  for (const line of await linesOf(folder, '.')) hash.update(`${line}\n`)
  return hash.digest('hex')
}

const linesOf = async (path: string, name: string): Promise<string[]> => {
  const status = await lstat(path, { bigint: true })
  const about = `${name} ${status.mode} ${status.mtimeNs}`
  if (status.isSymbolicLink()) return [`${about} link ${await readlink(path)}`]
  if (status.isFile()) {
    return [
      `${about} ${status.size} ${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`,
    ]
  }
  if (!status.isDirectory()) return [`${about} special`]
  const lines = [about]
  for (const child of (await readdir(path)).sort()) lines.push(...(await linesOf(join(path, child), `${name}/${child}`)))
  return lines
}
