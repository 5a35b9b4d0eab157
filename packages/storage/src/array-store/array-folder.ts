import { randomUUID } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { StorageError, systemCode } from '../errors.ts'
import { makeFolder, rename, syncFolder, unlink } from '../files/disk.ts'
import { namesIn } from '../workspace/look-at.ts'
import { ArrayFileReader } from './array-file-reader.ts'
import { sweepParts } from './dead-parts.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { IdHashCache } from './id-hashes.ts'
import type { LazyEngine } from './lazy-engine.ts'

const parquetName = /^[^.].*\.parquet$/i

/** The folder `arrays/` of a workspace. */
export class ArrayFolder {
  readonly root: string
  readonly path: string
  /** The datasets of files as they were when last looked at. */
  readonly datasets = new Map<string, { readonly stamp: FileStamp; readonly names: ReadonlySet<string> }>()

  readonly hashes = new IdHashCache()

  constructor(root: string) {
    this.root = root
    this.path = join(root, 'arrays')
  }

  /** Names of the array files, sorted; none when there is no folder. */
  async names(): Promise<string[]> {
    return (await namesIn(this.path)).filter((name) => parquetName.test(name))
  }

  pathOf(name: string): string {
    return join(this.path, name)
  }

  open(name: string, engine: LazyEngine): Promise<ArrayFileReader> {
    return ArrayFileReader.open(this.root, `arrays/${name}`, engine, this.hashes)
  }

  /** Null when there is no such file. */
  async openIfThere(name: string, engine: LazyEngine): Promise<ArrayFileReader | null> {
    return (await this.stamp(name)) === null ? null : this.open(name, engine)
  }

  /** A name for a file in the making, in the folder that it will be in. */
  partPath(): string {
    return join(this.path, `.nirs-${process.pid}-${randomUUID()}.part`)
  }

  /** Makes the folder if need be, and removes what died in it. Only under the workspace lock. */
  async prepare(): Promise<void> {
    if ((await namesIn(this.root)).includes('arrays')) return sweepParts(this.path)
    await makeFolder(this.path)
    await syncFolder(this.root)
  }

  /** Null when there is no such file. */
  async stamp(name: string): Promise<FileStamp | null> {
    try {
      // Asked of every file for every dataset: a trip to another thread would take ten times as long as the answer.
      const status = lstatSync(this.pathOf(name), { bigint: true, throwIfNoEntry: false })
      return status === undefined ? null : stampOf(status)
    } catch (error) {
      if (systemCode(error) === 'ENOTDIR') return null
      throw error
    }
  }

  /** Gives a finished, verified part its name, durably, unless somebody has changed or made the file of that name meanwhile. */
  async publish(part: string, name: string, before: FileStamp | null): Promise<void> {
    await this.refuseChanged(name, before)
    await rename(part, this.pathOf(name))
    await syncFolder(this.path)
  }

  /** Removes a file, durably, unless somebody has changed it meanwhile. */
  async remove(name: string, before: FileStamp | null): Promise<void> {
    await this.refuseChanged(name, before)
    await unlink(this.pathOf(name))
    await syncFolder(this.path)
  }

  async refuseChanged(name: string, before: FileStamp | null): Promise<void> {
    if ((await this.stamp(name)) === before) return
    throw new StorageError('workspace_busy', `Another program has changed ${name} in the meantime. Nothing was changed by this one.`, {
      path: this.pathOf(name),
      hint: 'Wait until the other program has finished, then try again.',
    })
  }
}
