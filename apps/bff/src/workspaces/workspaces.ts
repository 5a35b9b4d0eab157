import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type CatalogFile, type ResolvedWorkspace, resolveWorkspace, StorageError, systemCode } from '@nirs-workspace/storage'
import type { RecentWorkspace } from '@nirs-workspace/types'
import type { WorkspaceChange } from '../events/event-hub.ts'
import type { Log } from '../log.ts'
import { isInside } from './is-inside.ts'
import { OpenedWorkspace } from './opened-workspace.ts'
import type { Recents } from './recents.ts'

export interface WorkspacesOptions {
  cacheFolder: string
  recents: Recents
  log: Log
  /** Only paths inside this folder may be opened, and are named from there; undefined allows any. */
  root: string | undefined
  publish: (change: WorkspaceChange) => void
  build: (path: string, signal: AbortSignal) => Promise<CatalogFile>
  isBusy: (root: string) => boolean
  onCatalog: (workspace: OpenedWorkspace) => void
  onOpen: (workspace: OpenedWorkspace) => void
  /** Every other second, while somebody looks at the workspace. */
  onLook: (workspace: OpenedWorkspace) => void
  /** Whether somebody listens to events: then the files are watched without being asked. */
  isWatched: () => boolean
}

const pollMs = 2000
/** How long after the last request a workspace is still looked after. */
const attentionMs = 10_000

/** The workspaces that are open, one of them current, and the clock that lets their catalogs follow the files. */
export class Workspaces {
  readonly #options: WorkspacesOptions
  readonly #open = new Map<string, OpenedWorkspace>()
  readonly #timer: NodeJS.Timeout
  #currentId: string | undefined

  constructor(options: WorkspacesOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#poll(), pollMs)
    this.#timer.unref()
  }

  /** Those opened before; with a root, inside it only. */
  recents(): Promise<RecentWorkspace[]> {
    return this.#options.recents.list(this.#options.root)
  }

  get currentId(): string | undefined {
    return this.#currentId
  }

  list(): OpenedWorkspace[] {
    return [...this.#open.values()]
  }

  /** Opens a path (or finds it open) and begins to build its catalog. Throws `workspace_not_found`, `not_a_workspace`, `path_not_allowed`. */
  async open(given: string): Promise<OpenedWorkspace> {
    const path = resolve(this.#options.root ?? '', given)
    await this.#checkRoot(path)
    const resolved = await resolveWorkspace(path)
    await this.#checkPlaces(resolved)
    const id = workspaceId(resolved)
    const workspace = this.#open.get(id) ?? this.#add(id, resolved)
    this.#currentId ??= id
    this.#options.recents.add(workspace.path, resolved.name)
    this.#options.onOpen(workspace)
    void workspace.check()
    return workspace
  }

  /** The workspace of this id, or the current one. Throws `workspace_not_found`. */
  get(id: string | undefined): OpenedWorkspace {
    const workspace = this.#open.get(id ?? this.#currentId ?? '')
    if (workspace === undefined) {
      const what = id === undefined ? 'No workspace is open.' : 'No workspace of this id is open.'
      throw new StorageError('workspace_not_found', what, { hint: 'Open one by its path.' })
    }
    return workspace
  }

  /** As `get`, of a workspace that is at its path at this moment. Throws `workspace_not_found`. */
  async present(id: string | undefined): Promise<OpenedWorkspace> {
    const workspace = this.get(id)
    const missing = await workspace.look()
    if (missing !== undefined) throw missing
    return workspace
  }

  findByPath(root: string): OpenedWorkspace | undefined {
    return this.list().find((workspace) => workspace.resolved.root === root)
  }

  activate(id: string): OpenedWorkspace {
    const workspace = this.get(id)
    this.#currentId = id
    return workspace
  }

  /** Closes a workspace and takes it off the recent ones; its files stay as they are. */
  forget(id: string): OpenedWorkspace {
    const workspace = this.get(id)
    this.#open.delete(id)
    workspace.close()
    this.#options.recents.remove(workspace.path)
    if (this.#currentId === id) this.#currentId = this.#open.keys().next().value
    return workspace
  }

  close(): void {
    clearInterval(this.#timer)
    for (const workspace of this.#open.values()) workspace.close()
    this.#open.clear()
  }

  #add(id: string, resolved: ResolvedWorkspace): OpenedWorkspace {
    const workspace = new OpenedWorkspace(id, resolved.parquet ?? resolved.root, resolved, this.#options, (now) => this.#checkPlaces(now))
    this.#open.set(id, workspace)
    return workspace
  }

  #checkPlaces(resolved: ResolvedWorkspace): Promise<void> {
    return this.#checkRoot(...placesOf(resolved))
  }

  async #checkRoot(...paths: string[]): Promise<void> {
    const { root } = this.#options
    if (root === undefined) return
    const [inside, ...real] = await Promise.all([realpath(root), ...paths.map(realPathOf)])
    if (real.every((path) => isInside(inside, path))) return
    throw new StorageError('path_not_allowed', 'This server opens workspaces inside its own folder only.')
  }

  #poll(): void {
    const watched = this.#options.isWatched()
    for (const workspace of this.#open.values()) {
      if (!watched && Date.now() - workspace.lastUse >= attentionMs) continue
      void workspace.check()
      this.#options.onLook(workspace)
    }
  }
}

/** With all links followed; of what is not there, the folder that would hold it. */
const realPathOf = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch (error) {
    if (path === dirname(path) || !['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return ''
    return realPathOf(dirname(path))
  }
}

/** What of a workspace may be a link by itself. */
const placesOf = ({ root, arrays, parquet, duckdb, sqlite, bak }: ResolvedWorkspace): string[] =>
  [root, arrays, parquet, duckdb, sqlite, bak].filter((path) => path !== null)

/** The same for every path that leads to this workspace. */
const workspaceId = (resolved: ResolvedWorkspace): string =>
  createHash('sha256')
    .update(resolved.parquet ?? resolved.root)
    .digest('hex')
    .slice(0, 12)
