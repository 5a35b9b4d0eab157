import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ExportedFile } from '@nirs-workspace/types'
import type { ExportOrder } from '../children/export-messages.ts'
import type { Log } from '../log.ts'
import { exportToFile } from './export-process.ts'
import { isAlive } from './is-alive.ts'

type FileOrder = Omit<Extract<ExportOrder, { type: 'file' }>, 'target'>

interface Entry {
  file: Promise<ExportedFile>
  finished: boolean
  readers: number
  abort: AbortController
  expiry: NodeJS.Timeout | undefined
}

export interface HeldExport {
  file: ExportedFile
  /** The same for the same content. */
  etag: string
  release: () => void
}

/** How long a finished export is kept for a second look (HEAD, Range, resumed download). */
const keptMs = 5 * 60_000
const extensions = { parquet: 'parquet', zip: 'parquet', csv: 'csv', arrow: 'arrow' } as const

/** Exports of one dataset, made as files in the cache folder: shared by who asks for the same, removed a while after the last reader. */
export class ExportFiles {
  readonly #folder: string
  readonly #log: Log
  readonly #entries = new Map<string, Entry>()

  constructor(cacheFolder: string, log: Log) {
    this.#folder = join(cacheFolder, 'exports', `${process.pid}-${randomUUID()}`)
    this.#log = log
  }

  /** Removes what servers that were killed have left. */
  async tidy(): Promise<void> {
    const root = dirname(this.#folder)
    const names = await readdir(root).catch(() => [])
    const left = names.filter((name) => !isAlive(Number(/^(\d+)-/.exec(name)?.[1] ?? 0)))
    await Promise.all(left.map((name) => rm(join(root, name), { recursive: true, force: true })))
  }

  /** A folder for archives to work in. */
  async scratch(): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    return this.#folder
  }

  /** The file of this export, made now or shortly before. Call `release` when it has been read. `fingerprint` is of the workspace. */
  async hold(order: FileOrder, fingerprint: string, signal: AbortSignal): Promise<HeldExport> {
    const key = createHash('sha256')
      .update(JSON.stringify([order.context.resolved, fingerprint, order.dataset_name, order.request]))
      .digest('hex')
      .slice(0, 32)
    const entry = this.#entries.get(key) ?? (await this.#make(key, order))
    entry.readers += 1
    clearTimeout(entry.expiry)
    const release = once(() => this.#release(key, entry))
    // Whoever gives up while the file is being made is a reader less; the last one stops the work.
    signal.addEventListener('abort', release, { once: true })
    try {
      const file = await entry.file
      entry.finished = true
      return { file, etag: `"${file.sha256.slice(0, 32)}"`, release }
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
  }

  async close(): Promise<void> {
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.expiry)
      entry.abort.abort()
    }
    this.#entries.clear()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #make(key: string, order: FileOrder): Promise<Entry> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const running = this.#entries.get(key)
    if (running !== undefined) return running
    const abort = new AbortController()
    const target = join(this.#folder, `${key}.${extensions[order.request.format]}`)
    const entry: Entry = { file: exportToFile({ ...order, target }, abort.signal), finished: false, readers: 0, abort, expiry: undefined }
    this.#entries.set(key, entry)
    return entry
  }

  #release(key: string, entry: Entry): void {
    entry.readers -= 1
    if (entry.readers > 0) return
    entry.expiry = setTimeout(() => void this.#remove(key, entry), keptMs)
    entry.expiry.unref()
    if (!entry.finished) this.#abandon(key, entry)
  }

  /** Nobody waits for the file any more. */
  #abandon(key: string, entry: Entry): void {
    clearTimeout(entry.expiry)
    this.#entries.delete(key)
    entry.abort.abort()
  }

  async #remove(key: string, entry: Entry): Promise<void> {
    this.#entries.delete(key)
    try {
      await rm((await entry.file).path, { force: true })
    } catch (error) {
      this.#log.error('an export could not be removed', { error })
    }
  }
}

const once = (action: () => void): (() => void) => {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}
