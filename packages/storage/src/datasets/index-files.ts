import { lstat, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { systemCode } from '../errors.ts'
import type { FileLook } from './hash-cache.ts'
import { isStore, lookAtPath, versionOf } from './look-at-path.ts'
import { mapBounded } from './map-bounded.ts'

export interface FileIndex {
  readonly bySize: ReadonlyMap<number, readonly FileLook[]>
  readonly byName: ReadonlyMap<string, readonly FileLook[]>
  readonly files: readonly FileLook[]
  /** Why the index does not hold everything; undefined when it does. */
  readonly gap: string | undefined
}

export interface IndexOptions {
  concurrency: number
  maxFiles: number
  signal?: AbortSignal | undefined
}

const deepest = 32

/** Every regular file below the roots. Links are not followed, hidden folders and stores are left out. Reads no file. */
export const indexFiles = async (roots: readonly string[], options: IndexOptions): Promise<FileIndex> => {
  const files = new Map<string, FileLook>()
  const gaps: string[] = []
  const starting = await lookAtRoots(roots)
  for (const [root, look] of starting) if (look.kind !== 'folder') gaps.push(`${root} is no folder that can be searched`)
  let folders = [...new Set(starting.flatMap(([, look]) => (look.kind === 'folder' ? [look.path] : [])))]
  for (let depth = 0; folders.length > 0; depth++) {
    options.signal?.throwIfAborted()
    if (depth > deepest) {
      gaps.push(`folders deeper than ${deepest} levels were left out`)
      break
    }
    const listed = await mapBounded(folders, options.concurrency, (folder) => listFolder(folder, options.signal))
    for (const file of listed.flatMap((one) => one.files)) files.set(file.path, file)
    for (const { unread } of listed) if (unread !== undefined) gaps.push(`${unread} could not be read`)
    folders = [...new Set(listed.flatMap((one) => one.folders))]
    if (files.size > options.maxFiles || (files.size === options.maxFiles && folders.length > 0)) {
      gaps.push(`the search stopped after ${options.maxFiles} files`)
      break
    }
  }
  const all = [...files.values()].slice(0, options.maxFiles)
  return {
    files: all,
    bySize: Map.groupBy(all, ({ size }) => size),
    byName: Map.groupBy(all, ({ path }) => basename(path)),
    gap: gaps.length === 0 ? undefined : gaps.slice(0, 3).join('; '),
  }
}

const lookAtRoots = (roots: readonly string[]) => Promise.all(roots.map(async (root) => [root, await lookAtPath(root)] as const))

interface Listing {
  files: FileLook[]
  folders: string[]
  unread?: string
}

const listFolder = async (folder: string, signal: AbortSignal | undefined): Promise<Listing> => {
  signal?.throwIfAborted()
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const visible = entries.filter(({ name }) => !name.startsWith('.'))
    const files = await mapBounded(
      visible.filter((entry) => entry.isFile() && !isStore(entry.name)),
      4,
      (entry) => measure(join(folder, entry.name)),
    )
    const folders = visible.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
    return { files: files.filter((file) => file !== undefined), folders }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return { files: [], folders: [], unread: folder }
  }
}

const measure = async (path: string): Promise<FileLook | undefined> => {
  try {
    const status = await lstat(path, { bigint: true })
    return status.isFile() ? { kind: 'file', path, size: Number(status.size), version: versionOf(status) } : undefined
  } catch (error) {
    // Gone since the folder was listed.
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
