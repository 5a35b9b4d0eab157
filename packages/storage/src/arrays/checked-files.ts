import { CheckedFile } from './checked-file.ts'
import type { PinnedFile } from './pin-file.ts'

/** Files that are remembered; the one that was used longest ago is forgotten first. */
const mostFiles = 500

/** What has been compared of array files since they last changed: every row group once per version of its file. */
export class CheckedFiles {
  readonly #files = new Map<string, { version: string; file: Promise<CheckedFile> }>()

  /** `path` is absolute, `name` what errors call the file. `arrays_corrupt` when its footer or its ids have changed. */
  async get(path: string, name: string, pinned: PinnedFile): Promise<CheckedFile> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await pinned.handle.stat({ bigint: true })
    const version = [dev, ino, size, mtimeNs, ctimeNs].join()
    const known = this.#files.get(path)
    const entry = known?.version === version ? known : { version, file: CheckedFile.open(name, pinned) }
    this.#files.delete(path)
    this.#files.set(path, entry)
    const [oldest] = this.#files.keys()
    if (this.#files.size > mostFiles && oldest !== undefined) this.#files.delete(oldest)
    try {
      return await entry.file
    } catch (error) {
      if (this.#files.get(path) === entry) this.#files.delete(path)
      throw error
    }
  }
}
