import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect } from 'vitest'
import { type DiskOperation, setFaultHook } from '../files/fault-point.ts'

export type Noted = DiskOperation & { readonly was: 'nothing' | 'file' | 'folder' | 'empty folder' }

/** Runs a job, or a recovery, that has to flush everything below `root` in order. What it does to the disk. */
export const expectFlushed = async (root: string, about: string, job: () => Promise<unknown>): Promise<readonly DiskOperation[]> => {
  const noted: Noted[] = []
  const left = leftIn(root)
  setFaultHook((operation) => {
    noted.push({ ...operation, was: whatIs(operation.path) })
  })
  try {
    await job()
  } finally {
    setFaultHook(undefined)
  }
  expect(unflushedIn(root, [...left, ...noted]), about).toEqual([])
  return noted
}

/** The log of a save or a merge that has died: its name was never flushed, whether or not its engine has let go of it since. */
const leftIn = (root: string): Noted[] => {
  const journal = join(root, '.nirs-workspace', 'journal.json')
  if (!existsSync(journal) || !/"kind": ?"(flush|merge)"/.test(readFileSync(journal, 'utf8'))) return []
  return [{ kind: 'engine-write', path: join(root, 'store.duckdb.wal'), was: 'nothing' }]
}

/** What there is under the name that an operation is about to change. */
export const whatIs = (path: string): Noted['was'] => {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return 'nothing'
  if (!status.isDirectory()) return 'file'
  return readdirSync(path).length === 0 ? 'empty folder' : 'folder'
}

/**
 * Everything that a job leaves to the disk's own order. A file is flushed before it gets another name. All files and names are flushed before
 * the journal is written again or goes, before a store or a pipeline is replaced, and at the end; what a folder holds before it gets
 * another name; the journal's folder before anything beside it changes.
 * The lock is no data: a power cut ends whoever holds it.
 */
export const unflushedIn = (root: string, operations: readonly Noted[]): string[] => {
  const disk = new Waiting(root)
  for (const operation of operations) if (operation.path.startsWith(`${root}/`) || operation.path === root) disk.note(operation)
  disk.expectNothing('the end')
  return [...new Set(disk.faults)]
}

/** What the engine of a store has written in a transaction, it has flushed. */
const isStore = (path: string): boolean => /^store\.(duckdb|sqlite)$/.test(basename(path))
const isLog = (path: string): boolean => basename(path) === 'store.duckdb.wal'

/** Names that a job gives up again, or that say nothing without a journal when they come back. */
const isPassing = (path: string, isThere: boolean): boolean =>
  /^\.staging-|\.(tmp|part)$/.test(basename(path)) || (!isThere && ['restoring.json', 'part.parquet'].includes(basename(path)))

class Waiting {
  readonly faults: string[] = []
  readonly #root: string
  readonly #data = new Set<string>()
  #hasJournal = false
  /** By folder: names that have come (true) or gone (false) since it was flushed. */
  readonly #names = new Map<string, Map<string, boolean>>()

  readonly #control: string
  readonly #journal: string

  constructor(root: string) {
    this.#root = root
    this.#control = join(root, '.nirs-workspace')
    this.#journal = join(this.#control, 'journal.json')
  }

  note(operation: Noted): void {
    const { kind, path, from, was } = operation
    if (basename(path).startsWith('lock')) return
    this.#check(operation)
    if (path === this.#journal) this.#hasJournal = kind === 'rename'
    if (kind === 'fsync') this.#data.delete(path)
    else if (kind === 'fsync-folder') this.#names.delete(path)
    else if (kind === 'write' || kind === 'copy' || kind === 'engine-write') {
      this.#data.add(path)
      if (was === 'nothing') this.#came(path)
    } else if (kind === 'mkdir') {
      if (was === 'nothing') this.#came(path)
    } else if (kind === 'link') this.#came(path)
    else if (kind === 'rename' && from !== undefined) {
      this.#gone(from, true)
      this.#came(path)
    } else if (was === 'file' || was === 'empty folder' || (kind === 'remove-tree' && was === 'folder'))
      this.#gone(path, was !== 'empty folder')
  }

  /** Nothing waits to be flushed, but for the name that changes now. */
  expectNothing(about: string, own?: string): void {
    const excused = [own, this.#control]
    const names = [...this.#names].flatMap(([folder, changed]) =>
      Array.from(changed, ([name, isThere]) => ({ path: join(folder, name), isThere })),
    )
    for (const path of this.#data) if (!isStore(path) && !isLog(path)) this.faults.push(`the data of ${this.#inside(path)} before ${about}`)
    for (const { path, isThere } of names) {
      if (!excused.includes(path) && !isPassing(path, isThere)) this.faults.push(`the name ${this.#inside(path)} before ${about}`)
    }
  }

  #check({ kind, path, from }: Noted): void {
    const about = `${kind} of ${this.#inside(path)}`
    const isBeside = path !== this.#control && !path.startsWith(`${this.#control}/`) && !['fsync', 'fsync-folder'].includes(kind)
    if (this.#hasJournal && isBeside && this.#names.get(this.#root)?.get(basename(this.#control)) === true)
      this.faults.push(`the journal's folder before ${about}`)
    const isCommit = kind === 'rename' && (isStore(path) || basename(path) === 'pipeline.json')
    if (path === this.#journal || isCommit) this.expectNothing(about, from)
    const isNamed = (kind === 'rename' || kind === 'link') && from !== undefined
    if (!isNamed) return
    const isBelow = (other: string) => other === from || other.startsWith(`${from}/`)
    for (const file of this.#data) if (isBelow(file)) this.faults.push(`the data of ${this.#inside(file)} before ${about}`)
    for (const [folder, names] of this.#names) {
      for (const name of isBelow(folder) ? names.keys() : [])
        this.faults.push(`the name ${this.#inside(join(folder, name))} before ${about}`)
    }
  }

  #inside(path: string): string {
    return path.slice(this.#root.length + 1)
  }

  #namesIn(folder: string): Map<string, boolean> {
    const names = this.#names.get(folder) ?? new Map<string, boolean>()
    this.#names.set(folder, names)
    return names
  }

  #came(path: string): void {
    this.#namesIn(dirname(path)).set(basename(path), true)
  }

  /** That an empty folder is there again after a power cut harms nobody. */
  #gone(path: string, counts: boolean): void {
    const isBelow = (other: string) => other === path || other.startsWith(`${path}/`)
    for (const file of this.#data) if (isBelow(file)) this.#data.delete(file)
    for (const folder of this.#names.keys()) if (isBelow(folder)) this.#names.delete(folder)
    const names = this.#namesIn(dirname(path))
    // What has come and gone since was never on the disk.
    if (names.get(basename(path)) === true) names.delete(basename(path))
    else if (counts) names.set(basename(path), false)
  }
}
