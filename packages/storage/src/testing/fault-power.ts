import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { type DiskOperation, type FaultHook, setFaultHook } from '../files/fault-point.ts'
import { type Noted, unflushedIn, whatIs } from './flush-order.ts'

/**
 * How a disk may stand after the power is cut: only what was flushed; names kept but unflushed data lost; or the reverse; or, of the
 * changes of names that were not flushed, the last one alone, ahead of those before it.
 */
export type DiskModel = 'strict' | 'data-lost' | 'names-lost' | 'reordered'
export const diskModels: DiskModel[] = ['strict', 'data-lost', 'names-lost', 'reordered']

type Recorded = Noted & {
  /** What the file holds when it is flushed: also what DuckDB has written into it by then. */
  content?: Buffer
}

/** Notes every operation of a job with its payload, to be replayed up to any point. */
const recordOperations = (): { hook: FaultHook; operations: Recorded[] } => {
  const operations: Recorded[] = []
  const hook = (operation: DiskOperation) => {
    const reads = operation.kind === 'fsync' || operation.kind === 'engine-write'
    operations.push({ ...operation, was: whatIs(operation.path), ...(reads ? contentOf(operation.path) : {}) })
  }
  return { hook, operations }
}

/**
 * The operations of a job on `root`, as if they had been made on `original`, a copy of it from before. What happens elsewhere is left out.
 * Fails when something is not flushed in order.
 */
export const recordJob = async (root: string, original: string, job: () => Promise<unknown>): Promise<Recorded[]> => {
  const { hook, operations } = recordOperations()
  setFaultHook(hook)
  try {
    await job()
  } finally {
    setFaultHook(undefined)
  }
  expect(unflushedIn(root, operations)).toEqual([])
  const moved = (path: string) => original + path.slice(root.length)
  return operations
    .filter(({ path }) => path === root || path.startsWith(`${root}/`))
    .map(({ from, ...operation }) => ({ ...operation, path: moved(operation.path), ...(from === undefined ? {} : { from: moved(from) }) }))
}

const contentOf = (path: string): { content?: Buffer } => {
  try {
    return { content: readFileSync(path) }
  } catch {
    // DuckDB has not created it yet.
    return {}
  }
}

interface Inode {
  now: Buffer
  flushed: Buffer
}

/** The names of a disk and what they stand for, before and after flushing. */
class Disk {
  names = new Map<string, Inode | 'folder'>()
  flushedNames = new Map<string, Inode | 'folder'>()

  create(path: string, now: Buffer): void {
    const there = this.names.get(path)
    if (there !== undefined && there !== 'folder') there.now = now
    else this.names.set(path, { now, flushed: Buffer.alloc(0) })
  }

  flushNames(folder: string): void {
    const inside = (path: string) => dirname(path) === folder
    for (const path of this.flushedNames.keys()) if (inside(path) && !this.names.has(path)) this.flushedNames.delete(path)
    for (const [path, inode] of this.names) if (inside(path)) this.flushedNames.set(path, inode)
  }

  move(from: string, to: string): void {
    const inode = this.names.get(from)
    if (inode === undefined) return
    this.names.set(to, inode)
    this.names.delete(from)
  }

  remove(path: string, tree: boolean): void {
    for (const name of this.names.keys()) if (name === path || (tree && name.startsWith(`${path}/`))) this.names.delete(name)
  }
}

const apply = (disk: Disk, operation: Recorded): void => {
  const { kind, path, from, data, content } = operation
  const inode = disk.names.get(path)
  if (kind === 'mkdir') disk.names.set(path, 'folder')
  else if (kind === 'write') disk.create(path, data === undefined || operation.position !== undefined ? Buffer.alloc(0) : Buffer.from(data))
  // What a copy holds is known when it is flushed, as of any file that grows.
  else if (kind === 'copy') disk.create(path, Buffer.alloc(0))
  else if (kind === 'engine-write' && content !== undefined) disk.create(path, content)
  else if (kind === 'fsync' && inode !== undefined && inode !== 'folder') {
    inode.now = content ?? inode.now
    inode.flushed = inode.now
  } else if (kind === 'fsync-folder') disk.flushNames(path)
  else if (kind === 'rename' && from !== undefined) disk.move(from, path)
  else if (kind === 'link' && from !== undefined) disk.names.set(path, disk.names.get(from) ?? 'folder')
  else if (kind === 'unlink' || kind === 'remove-tree') removeUnlessFull(disk, kind, path)
}

// Removing an empty folder passes as an unlink; one that holds something stays.
const removeUnlessFull = (disk: Disk, kind: string, path: string): void => {
  const isFull = disk.names.get(path) === 'folder' && [...disk.names.keys()].some((name) => name.startsWith(`${path}/`))
  if (kind === 'remove-tree' || !isFull) disk.remove(path, kind === 'remove-tree')
}

/** Rebuilds `target` as the disk of `original` would stand if the power were cut after the first `count` operations on it. */
export const replayCut = async (
  original: string,
  operations: readonly Recorded[],
  count: number,
  model: DiskModel,
  target: string,
): Promise<void> => {
  const disk = new Disk()
  for (const entry of await readdir(original, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) disk.names.set(path, 'folder')
    else {
      const now = await readFile(path)
      disk.names.set(path, { now, flushed: now })
    }
  }
  disk.flushedNames = new Map(disk.names)
  for (const operation of operations.slice(0, count)) apply(disk, operation)
  const names = model === 'data-lost' ? disk.names : disk.flushedNames
  if (model === 'reordered') applyName(names, disk, operations[count - 1])
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  for (const [path, inode] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const at = target + path.slice(original.length)
    // A folder whose own name was lost takes everything in it along.
    if (!isReachable(names, path, original)) continue
    if (inode === 'folder') await mkdir(at, { recursive: true })
    else await writeFile(at, model === 'names-lost' ? inode.now : inode.flushed)
  }
}

const applyName = (names: Map<string, Inode | 'folder'>, disk: Disk, operation: Recorded | undefined): void => {
  if (operation === undefined) return
  const { kind, path, from } = operation
  const inode = disk.names.get(path)
  if ((kind === 'rename' || kind === 'link') && inode !== undefined) {
    names.set(path, inode)
    if (kind === 'rename' && from !== undefined) names.delete(from)
  } else if (kind === 'unlink' && inode === undefined) names.delete(path)
}

const isReachable = (names: ReadonlyMap<string, unknown>, path: string, root: string): boolean => {
  const parent = dirname(path)
  return parent === root || (names.has(parent) && isReachable(names, parent, root))
}
