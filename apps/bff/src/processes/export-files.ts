import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ExportedFile } from '@nirs-workspace/types'
import type { ExportOrder } from '../children/export-messages.ts'
import { isThere } from '../is-there.ts'
import type { Log } from '../log.ts'
import { exportToFile, exportToStream } from './export-process.ts'
import { holdCatalog } from './hold-catalog.ts'
import { isAlive } from './is-alive.ts'

type FileOrder = Omit<Extract<ExportOrder, { type: 'file' }>, 'target'>
type ZipOrder = Extract<ExportOrder, { type: 'zip' }>

interface Entry {
  file: Promise<ExportedFile>
  /** Where the export is made: nothing else is there, so that whatever a killed process leaves goes with it. */
  folder: string
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
  readonly #closing = new AbortController()
  /** Archives at work. */
  readonly #archives = new Set<Promise<void>>()

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

  /** An archive as it is made, in a folder of its own that is removed afterwards. The chunks fail when anything does. */
  async *archive(order: Omit<ZipOrder, 'scratch'>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    this.#archives.add(over)
    const scratch = join(this.#folder, randomUUID())
    try {
      await mkdir(scratch, { recursive: true, mode: 0o700 })
      const context = await holdCatalog(order.context, join(scratch, 'catalog.duckdb'))
      yield* exportToStream({ ...order, context, scratch }, AbortSignal.any([signal, this.#closing.signal]))
    } finally {
      await rm(scratch, { recursive: true, force: true })
      this.#archives.delete(over)
      resolve()
    }
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
    if (signal.aborted) release()
    const file = await entry.file
    if (await isThere(file.path)) return { file, etag: `"${file.sha256.slice(0, 32)}"`, release }
    // Somebody has emptied the cache folder.
    release()
    this.#forget(key, entry)
    return this.hold(order, fingerprint, signal)
  }

  /** Stops what is at work and removes the files. */
  async close(): Promise<void> {
    this.#closing.abort()
    const files = [...this.#entries].map(([key, entry]) => {
      this.#forget(key, entry)
      return entry.file
    })
    await Promise.allSettled([...files, ...this.#archives])
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #make(key: string, order: FileOrder): Promise<Entry> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const running = this.#entries.get(key)
    if (running !== undefined) return running
    const abort = new AbortController()
    // Of its own name: an export that was given up may still be cleaning up when the same is asked for again.
    const folder = join(this.#folder, randomUUID())
    const file = this.#write(order, folder, abort.signal)
    const entry: Entry = { file, folder, finished: false, readers: 0, abort, expiry: undefined }
    this.#entries.set(key, entry)
    file.then(
      () => {
        entry.finished = true
      },
      () => this.#forget(key, entry),
    )
    return entry
  }

  /** When it fails, the process is no more, and what it has left goes. */
  async #write(order: FileOrder, folder: string, signal: AbortSignal): Promise<ExportedFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      const held = join(folder, 'catalog.duckdb')
      const context = await holdCatalog(order.context, held)
      const target = join(folder, `export.${extensions[order.request.format]}`)
      const file = await exportToFile({ ...order, context, target }, signal)
      await rm(held, { force: true }).catch((error) => this.#log.error('the catalog of an export could not be removed', { error }))
      return file
    } catch (error) {
      await this.#clear(folder)
      throw error
    }
  }

  #release(key: string, entry: Entry): void {
    entry.readers -= 1
    if (entry.readers > 0) return
    if (entry.finished) entry.expiry = setTimeout(() => void this.#remove(key, entry), keptMs).unref()
    else void this.#remove(key, entry)
  }

  #forget(key: string, entry: Entry): void {
    clearTimeout(entry.expiry)
    entry.abort.abort()
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
  }

  /** Nobody wants the file any more: it is removed, or the work on it is stopped. */
  async #remove(key: string, entry: Entry): Promise<void> {
    this.#forget(key, entry)
    const [made] = await Promise.allSettled([entry.file])
    if (made.status === 'fulfilled') await this.#clear(entry.folder)
  }

  async #clear(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true })
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
