import type { FileHandle } from 'node:fs/promises'
import { fullHash, quickHash } from './content-hash.ts'
import { openFile, type PathLook, versionOf } from './look-at-path.ts'

export type FileLook = Extract<PathLook, { kind: 'file' }>
export type HashKind = 'quick' | 'full'

const mostEntries = 20_000

/** Hashes of files, by path, inode, size and both times of change; the oldest entries go first. Keep one for as long as the program runs. */
export class HashCache {
  /** Files read because no entry fitted. */
  reads = 0
  readonly #entries = new Map<string, string>()

  /** The hash of a file as it was looked at. Throws when the file is changed while it is read. */
  async hashOf(file: FileLook, kind: HashKind, signal?: AbortSignal): Promise<string> {
    const key = JSON.stringify([kind, file.path, file.version])
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const hash = await this.#read(file, kind, signal)
    if (this.#entries.size >= mostEntries) this.#entries.delete(this.#entries.keys().next().value ?? '')
    this.#entries.set(key, hash)
    return hash
  }

  async #read(file: FileLook, kind: HashKind, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted()
    this.reads += 1
    const handle = await openFile(file.path)
    try {
      const hash = kind === 'quick' ? await quickHash(handle, file.size) : await fullHash(handle, signal)
      if (await isUnchanged(handle, file)) return hash
      throw Object.assign(new Error('changed while it was read'), { code: 'EBUSY', syscall: 'read' })
    } finally {
      await handle.close()
    }
  }
}

const isUnchanged = async (handle: FileHandle, file: FileLook): Promise<boolean> =>
  versionOf(await handle.stat({ bigint: true })) === file.version
