import {
  type Catalog,
  type CatalogFile,
  findCatalog,
  fingerprintWorkspace,
  isStorageError,
  openCatalog,
  type ResolvedWorkspace,
  refuseHeldStore,
  resolveWorkspace,
  StorageError,
  systemCode,
} from '@nirs-workspace/storage'
import type { CatalogInfo, LockHolder } from '@nirs-workspace/types'
import type { WorkspaceChange } from '../events/event-hub.ts'
import { isThere } from '../is-there.ts'
import type { Log } from '../log.ts'
import { CatalogSlot } from './catalog-slot.ts'
import { within } from './within.ts'

export interface WorkspaceServices {
  cacheFolder: string
  log: Log
  publish: (change: WorkspaceChange) => void
  /** Builds the catalog in a process of its own. */
  build: (path: string, signal: AbortSignal) => Promise<CatalogFile>
  /** A job of ours is changing this workspace: what it looks like meanwhile is nobody's business. */
  isBusy: (root: string) => boolean
  onCatalog: (workspace: OpenedWorkspace) => void
}

const firstBuildWaitMs = 15_000
const retryAfterFailureMs = 30_000
/** After a look at the files, requests within this time trust it. */
const restMs = 1000
/** A disk that answers later than this counts as it was last seen. */
const lookMs = 2000

/**
 * One workspace that is open: its catalog, and how that follows the files. Only names, sizes and times are looked at here; the store
 * itself is read by short-lived processes, so nothing is locked while nobody asks.
 */
export class OpenedWorkspace {
  readonly id: string
  readonly path: string
  readonly #services: WorkspaceServices
  readonly #allow: (resolved: ResolvedWorkspace) => Promise<void>
  readonly #slot = new CatalogSlot()
  readonly #closing = new AbortController()
  resolved: ResolvedWorkspace
  #checking: Promise<void> | undefined
  #missing: StorageError | undefined
  #failure: { error: StorageError; fingerprint: string; at: number } | undefined
  #building = false
  #lookedAt = 0
  lastUse = Date.now()

  /** `allow` throws `path_not_allowed`; what is at the path may have become a link to another place. */
  constructor(
    id: string,
    path: string,
    resolved: ResolvedWorkspace,
    services: WorkspaceServices,
    allow: (resolved: ResolvedWorkspace) => Promise<void>,
  ) {
    this.id = id
    this.path = path
    this.resolved = resolved
    this.#services = services
    this.#allow = allow
  }

  get catalogFile(): CatalogFile | undefined {
    return this.#slot.current?.file
  }

  get fingerprint(): string | null {
    return this.catalogFile?.fingerprint ?? null
  }

  /** Set while another process holds the store for writing. */
  get lock(): StorageError | undefined {
    return isStorageError(this.#failure?.error, 'store_locked') ? this.#failure?.error : undefined
  }

  /** Who holds the store for writing, as last seen. */
  get writer(): LockHolder | null {
    return this.lock?.fields.locked_by ?? null
  }

  /** `stale` without a detail is being renewed; with one, what the workspace is now cannot be read. */
  get catalogInfo(): CatalogInfo {
    const file = this.catalogFile
    const known = { built_at: file?.built_at ?? null, fingerprint: file?.fingerprint ?? null }
    const error = this.#missing ?? this.#failure?.error
    if (error !== undefined) return { state: file === undefined ? 'failed' : 'stale', ...known, detail: error.message }
    if (file === undefined) return { state: 'building', ...known, detail: null }
    return { state: this.#building ? 'stale' : 'ready', ...known, detail: null }
  }

  /**
   * Runs a query on the catalog. The one at hand serves at once, even if a newer one is on its way; without any, waits for the first.
   * Throws why there is none, or `catalog_building` when it takes long.
   */
  async query<T>(work: (catalog: Catalog) => Promise<T>): Promise<T> {
    this.lastUse = Date.now()
    if (this.#slot.current === undefined) await within(firstBuildWaitMs, this.check(), this.#slot.filled)
    else if (Date.now() - this.#lookedAt > restMs) void this.check()
    const outcome = await this.#slot.use(async (catalog) => ({ value: await work(catalog) }))
    if (outcome === undefined) throw this.#missing ?? this.#failure?.error ?? building()
    return outcome.value
  }

  /** Looks whether the workspace is at its path; answers why not. What a job of ours is about to replace counts as there. */
  async look(): Promise<StorageError | undefined> {
    await within(lookMs, this.#look())
    return this.#missing
  }

  /** Looks whether the files changed and renews the catalog if so. Looks that overlap are one. */
  check(force = false): Promise<void> {
    this.#checking ??= this.#check(force).finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  close(): void {
    this.#closing.abort()
    this.#slot.close()
  }

  /** The state of the files is known as of now, as far as `waitMs` allow: the catalog is fresh, or `catalogInfo` says what it lacks. */
  async settle(waitMs: number): Promise<void> {
    this.lastUse = Date.now()
    await within(waitMs, this.check())
  }

  async #check(force: boolean): Promise<void> {
    try {
      if (this.#services.isBusy(this.resolved.root)) return
      this.#lookedAt = Date.now()
      await this.#look()
      if (this.#missing !== undefined) return
      const fingerprint = await fingerprintWorkspace(this.resolved)
      if (fingerprint === this.fingerprint && (await this.#isCatalogThere())) {
        // Whoever has not written yet is told of as well: nothing that needs the store would work.
        if (this.resolved.duckdb !== null) await refuseHeldStore(this.resolved.duckdb)
        return this.#settled()
      }
      if (force || this.#mayTry(fingerprint)) await this.#renew(fingerprint)
    } catch (error) {
      this.#failed(error, '')
    }
  }

  /** Who empties the cache folder takes it from the exports, which open it by its name. */
  async #isCatalogThere(): Promise<boolean> {
    const path = this.#slot.current?.file.path
    return path !== undefined && (await isThere(path))
  }

  async #look(): Promise<void> {
    if (this.#services.isBusy(this.resolved.root)) return
    try {
      const resolved = await resolveWorkspace(this.path)
      await this.#allow(resolved)
      this.resolved = resolved
      this.#seen(undefined)
    } catch (error) {
      if (!isStorageError(error, 'workspace_not_found', 'not_a_workspace', 'path_not_allowed') && systemCode(error) === undefined)
        throw error
      this.#seen(vanished(this.path, error))
    }
  }

  #seen(missing: StorageError | undefined): void {
    const wasMissing = this.#missing !== undefined
    const isMissing = missing !== undefined
    this.#missing = missing
    if (wasMissing === isMissing || this.#closing.signal.aborted) return
    // What a build said that the workspace was taken away from does not hold any more.
    if (!isMissing && this.lock === undefined) this.#failure = undefined
    this.#services.publish({ type: isMissing ? 'workspace_missing' : 'workspace_found', data: { workspace_id: this.id } })
  }

  /** A locked store is tried again each time; another failure only after a change or a while. */
  #mayTry(fingerprint: string): boolean {
    const failure = this.#failure
    if (failure === undefined || isStorageError(failure.error, 'store_locked')) return true
    return failure.fingerprint !== fingerprint || Date.now() - failure.at > retryAfterFailureMs
  }

  async #renew(fingerprint: string): Promise<void> {
    this.#building = true
    try {
      const { fresh, last } = await findCatalog(this.resolved, { cacheFolder: this.#services.cacheFolder })
      // Better an old catalog at once than none for as long as the build takes; it says so of itself.
      if (fresh === undefined && last !== undefined && this.#slot.current === undefined) this.#slot.put(await openCatalog(last))
      const file = fresh ?? (await this.#services.build(this.path, this.#closing.signal))
      const catalog = await openCatalog(file)
      if (this.#closing.signal.aborted) return catalog.close()
      const isNew = this.#slot.current !== undefined
      this.#slot.put(catalog)
      this.#services.onCatalog(this)
      this.#building = false
      this.#settled()
      if (isNew) this.#services.publish({ type: 'catalog_updated', data: { workspace_id: this.id, fingerprint: file.fingerprint } })
    } catch (error) {
      this.#failed(error, fingerprint)
    } finally {
      this.#building = false
    }
  }

  #settled(): void {
    const wasLocked = this.lock !== undefined
    this.#failure = undefined
    if (wasLocked) this.#services.publish({ type: 'workspace_unlocked', data: { workspace_id: this.id } })
  }

  #failed(error: unknown, fingerprint: string): void {
    if (this.#closing.signal.aborted) return
    const known = isStorageError(error) ? error : new StorageError('internal', 'The catalog could not be made.', {}, error)
    const wasLocked = this.lock !== undefined
    if (known.code === 'internal') this.#services.log.error('the catalog could not be made', { workspace: this.id, error })
    this.#failure = { error: known, fingerprint, at: Date.now() }
    const isLocked = known.code === 'store_locked'
    if (isLocked && !wasLocked) {
      this.#services.publish({ type: 'workspace_locked', data: { workspace_id: this.id, locked_by: this.writer } })
    }
    if (wasLocked && !isLocked) this.#services.publish({ type: 'workspace_unlocked', data: { workspace_id: this.id } })
  }
}

const vanished = (path: string, cause: unknown) =>
  new StorageError(
    'workspace_not_found',
    `There is no nirs4all workspace at ${path} any more: it or its store was renamed, moved or deleted, or its disk is not connected. This program has changed nothing.`,
    { path, hint: 'Put it back or connect the disk, and it is shown again by itself; or open it at its new place.' },
    cause,
  )

const building = () =>
  new StorageError('catalog_building', 'The catalog of this workspace is still being built.', { hint: 'Ask again in a moment.' })
