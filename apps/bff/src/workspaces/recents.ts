import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecentWorkspace } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Log } from '../log.ts'
import { Turns } from '../processes/turns.ts'
import { isInside } from './is-inside.ts'
import { within } from './within.ts'

const Recent = z.object({ path: z.string(), name: z.string(), opened_at: z.string() })
const File = z.object({ recents: z.array(Recent) })
type Recent = z.infer<typeof Recent>

const kept = 20
/** A disk that answers later than this counts as it was last seen, one that never answered as not there, one that was not asked yet as there. */
const lookMs = 500
/** Looks at disks that do not answer must not use up the few threads that all files are read with. */
const looksAtOnce = 2

/**
 * Paths the user opened, newest first, in the config folder, which several servers may share: the file is read again each time. A damaged
 * list is started anew: nothing depends on it.
 */
export class Recents {
  readonly #folder: string
  readonly #log: Log
  /** What the disk has not taken yet. */
  #changes: ((recents: readonly Recent[]) => Recent[])[] = []
  readonly #isThere: (path: string) => Promise<boolean>
  readonly #turns = new Turns(looksAtOnce)
  readonly #looks = new Map<string, Promise<void>>()
  readonly #begun = new Set<string>()
  readonly #seen = new Map<string, boolean>()

  constructor(configFolder: string, log: Log, isThere = isOnDisk) {
    this.#folder = configFolder
    this.#log = log
    this.#isThere = isThere
  }

  /** With a root, inside it only: of others not even the disk is looked at. */
  async list(root?: string): Promise<RecentWorkspace[]> {
    const recents = this.#current().filter(({ path }) => root === undefined || isInside(root, path))
    await within(lookMs, this.#lookAt(recents))
    return recents.map((recent) => ({ ...recent, exists: this.#seen.get(recent.path) ?? !this.#begun.has(recent.path) }))
  }

  add(path: string, name: string): void {
    const opened = { path, name, opened_at: new Date().toISOString() }
    this.#change((recents) => [opened, ...without(recents, path)])
  }

  remove(path: string): void {
    this.#change((recents) => without(recents, path))
  }

  async #lookAt(recents: readonly Recent[]): Promise<void> {
    await Promise.all(recents.map(({ path }) => this.#look(path)))
  }

  /** A look that has not ended is not begun again. */
  #look(path: string): Promise<void> {
    const look =
      this.#looks.get(path) ??
      this.#turns.run(async () => {
        this.#begun.add(path)
        this.#seen.set(path, await this.#isThere(path))
        this.#looks.delete(path)
      })
    this.#looks.set(path, look)
    return look
  }

  #current(): Recent[] {
    return this.#changes
      .reduce((recents, change) => change(recents), this.#load())
      .toSorted((left, right) => right.opened_at.localeCompare(left.opened_at))
      .slice(0, kept)
  }

  #load(): Recent[] {
    const file = join(this.#folder, 'recents.json')
    if (!existsSync(file)) return []
    try {
      return File.parse(JSON.parse(readFileSync(file, 'utf8'))).recents
    } catch (error) {
      this.#log.error('the list of recent workspaces is damaged and starts anew', { error })
      return []
    }
  }

  /** A list that cannot be saved (full disk, read-only home) is a nuisance, not a reason to refuse a workspace. */
  #change(change: (recents: readonly Recent[]) => Recent[]): void {
    this.#changes.push(change)
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      const beside = join(this.#folder, `.recents-${process.pid}.tmp`)
      writeFileSync(beside, JSON.stringify({ recents: this.#current() }, null, 2), { mode: 0o600 })
      renameSync(beside, join(this.#folder, 'recents.json'))
      this.#changes = []
    } catch (error) {
      this.#log.error('the list of recent workspaces could not be saved', { error })
    }
  }
}

const isOnDisk = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const without = (recents: readonly Recent[], path: string): Recent[] => recents.filter((recent) => recent.path !== path)
