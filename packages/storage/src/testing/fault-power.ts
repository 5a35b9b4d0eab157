import { createHash } from 'node:crypto'
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

type Told = Noted & {
  /** What the file holds when it is flushed: also what DuckDB has written into it by then. */
  readonly content?: Buffer
}

/** What DuckDB has written into an open store and flushed, without the name of a log that is new; null where a log has gone. */
interface EngineFlush {
  readonly kind: 'engine-flush'
  readonly path: string
  readonly files: readonly { readonly path: string; readonly content: Buffer | null }[]
}

type Recorded = Told | EngineFlush

/** Notes every operation of a job with its payload, to be replayed up to any point; with `engine`, also what that has flushed by itself. */
const recordOperations = (engine: OwnFlushes | null): { hook: FaultHook; operations: Recorded[] } => {
  const operations: Recorded[] = []
  const hook = (operation: DiskOperation) => {
    operations.push(...(engine?.look() ?? []))
    const reads = operation.kind === 'fsync' || operation.kind === 'engine-write'
    operations.push({ ...operation, was: whatIs(operation.path), ...(reads ? contentOf(operation.path) : {}) })
  }
  return { hook, operations }
}

/** Finds what the engine of a store has committed since the last look: it tells nobody. A checkpoint is one step, as its own order makes it. */
class OwnFlushes {
  readonly #paths: readonly string[]
  #known: readonly (Buffer | null)[]

  constructor(root: string) {
    this.#paths = ['store.duckdb', 'store.duckdb.wal'].map((name) => join(root, name))
    this.#known = this.#read()
  }

  look(): EngineFlush[] {
    const now = this.#read()
    const files = this.#paths.flatMap((path, index) => {
      const [content = null, known = null] = [now[index], this.#known[index]]
      const isSame = content === null || known === null ? content === known : content.equals(known)
      return isSame ? [] : [{ path, content }]
    })
    this.#known = now
    return files[0] === undefined ? [] : [{ kind: 'engine-flush', path: files[0].path, files }]
  }

  #read(): (Buffer | null)[] {
    return this.#paths.map((path) => contentOf(path).content ?? null)
  }
}

const isTold = (operation: Recorded): operation is Told => operation.kind !== 'engine-flush'

/**
 * The operations of a job on `root`, as if they had been made on `original`, a copy of it from before. What happens elsewhere is left out.
 * Fails when something is not flushed in order. `withEngine`: what DuckDB flushes of an open store by itself counts too (default: only
 * what the job flushes).
 */
export const recordJob = async (
  root: string,
  original: string,
  job: () => Promise<unknown>,
  withEngine = false,
): Promise<readonly Recorded[]> => {
  const engine = withEngine ? new OwnFlushes(root) : null
  const { hook, operations } = recordOperations(engine)
  setFaultHook(hook)
  try {
    await job()
  } finally {
    setFaultHook(undefined)
  }
  operations.push(...(engine?.look() ?? []))
  expect(unflushedIn(root, operations.filter(isTold))).toEqual([])
  const moved = (path: string) => original + path.slice(root.length)
  return operations.filter(({ path }) => path === root || path.startsWith(`${root}/`)).map((operation) => movedTo(operation, moved))
}

const movedTo = (operation: Recorded, moved: (path: string) => string): Recorded => {
  const path = moved(operation.path)
  if (!isTold(operation)) return { ...operation, path, files: operation.files.map((file) => ({ ...file, path: moved(file.path) })) }
  const { from, ...rest } = operation
  return { ...rest, path, ...(from === undefined ? {} : { from: moved(from) }) }
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
  readonly #root: string
  names = new Map<string, Inode | 'folder'>()
  flushedNames = new Map<string, Inode | 'folder'>()

  constructor(root: string) {
    this.#root = root
  }

  /** With the folders above it, where they are not there. */
  makeFolder(path: string): void {
    if (path === this.#root || this.names.has(path)) return
    this.makeFolder(dirname(path))
    this.names.set(path, 'folder')
  }

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

  /** A log that the engine has taken away after a checkpoint is nothing that it would read again. */
  flushOwn(path: string, content: Buffer | null): void {
    if (content === null) {
      this.names.delete(path)
      this.flushedNames.delete(path)
      return
    }
    const inode = this.names.get(path)
    if (inode === undefined || inode === 'folder') this.names.set(path, { now: content, flushed: content })
    else Object.assign(inode, { now: content, flushed: content })
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
  if (isTold(operation)) applyTold(disk, operation)
  else for (const { path, content } of operation.files) disk.flushOwn(path, content)
}

const applyTold = (disk: Disk, operation: Told): void => {
  const { kind, path, from, data, content } = operation
  const inode = disk.names.get(path)
  if (kind === 'mkdir') disk.makeFolder(path)
  else if (kind === 'write') disk.create(path, data === undefined || operation.position !== undefined ? Buffer.alloc(0) : Buffer.from(data))
  // What a copy holds is known when it is flushed, as of any file that grows.
  else if (kind === 'copy') disk.create(path, Buffer.alloc(0))
  // A file that DuckDB is about to make holds what it holds when it is flushed.
  else if (kind === 'engine-write') disk.create(path, content ?? Buffer.alloc(0))
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

/** The power cut after the first `count` operations. */
export interface PowerCut {
  readonly model: DiskModel
  readonly count: number
  /** Whether the job had ended before. */
  readonly isAfterAll: boolean
  readonly about: string
}

/**
 * Rebuilds `target` as every disk that a power cut during these operations on `original` can leave, one after the other. Cuts that leave
 * the same names with the same bytes are one case; what stands after the last operation always is a case of its own. `isChosen` says
 * after which operations the power is cut at all (default: each).
 */
export async function* cutDisks(
  original: string,
  operations: readonly Recorded[],
  target: string,
  isChosen: (count: number, model: DiskModel) => boolean = () => true,
): AsyncGenerator<PowerCut> {
  const disk = await diskOf(original)
  const seen = new Set<string>()
  for (let count = 0; count <= operations.length; count++) {
    const last = operations[count - 1]
    if (last !== undefined) apply(disk, last)
    const isAfterAll = count === operations.length
    for (const model of diskModels) {
      if (!isAfterAll && !isChosen(count, model)) continue
      const left = leftOn(disk, original, model, last)
      const state = digestOf(left)
      if (!isAfterAll && seen.has(state)) continue
      seen.add(state)
      await rebuild(target, left)
      yield { model, count, isAfterAll, about: `${model}, ${count} of ${operations.length}: ${last?.kind} ${last?.path}` }
    }
  }
}

const diskOf = async (original: string): Promise<Disk> => {
  const disk = new Disk(original)
  for (const entry of await readdir(original, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) disk.names.set(path, 'folder')
    else {
      const now = await readFile(path)
      disk.names.set(path, { now, flushed: now })
    }
  }
  disk.flushedNames = new Map(disk.names)
  return disk
}

type Left = readonly (readonly [path: string, content: Buffer | 'folder'])[]

/** What a model of a disk keeps, by its path below the folder of the job; folders before what is in them. */
const leftOn = (disk: Disk, original: string, model: DiskModel, last: Recorded | undefined): Left => {
  const names = new Map(model === 'data-lost' ? disk.names : disk.flushedNames)
  if (model === 'reordered') applyName(names, disk, last)
  return (
    [...names]
      // A folder whose own name was lost takes everything in it along.
      .filter(([path]) => isReachable(names, path, original))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, inode]) => [path.slice(original.length), inode === 'folder' ? inode : inode[model === 'names-lost' ? 'now' : 'flushed']])
  )
}

const digestOf = (left: Left): string => {
  const hash = createHash('sha256')
  for (const [path, content] of left)
    hash.update(`${path}\0${content === 'folder' ? content : createHash('sha256').update(content).digest('hex')}\0`)
  return hash.digest('hex')
}

const rebuild = async (target: string, left: Left): Promise<void> => {
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  for (const [path, content] of left) {
    if (content === 'folder') await mkdir(target + path, { recursive: true })
    else await writeFile(target + path, content)
  }
}

const applyName = (names: Map<string, Inode | 'folder'>, disk: Disk, operation: Recorded | undefined): void => {
  if (operation === undefined || !isTold(operation)) return
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
