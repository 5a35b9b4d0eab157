import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecentWorkspace } from '@nirs-workspace/types'
import * as z from 'zod'
import type { Log } from '../log.ts'

const Recent = z.object({ path: z.string(), name: z.string(), opened_at: z.string() })
const File = z.object({ recents: z.array(Recent) })
type Recent = z.infer<typeof Recent>

const kept = 20

/**
 * Paths the user opened, newest first, in the config folder, which several servers may share: the file is read again each time. A damaged
 * list is started anew: nothing depends on it.
 */
export class Recents {
  readonly #folder: string
  readonly #log: Log
  /** What the disk has not taken yet. */
  #changes: ((recents: readonly Recent[]) => Recent[])[] = []

  constructor(configFolder: string, log: Log) {
    this.#folder = configFolder
    this.#log = log
  }

  list(): RecentWorkspace[] {
    return this.#current().map((recent) => ({ ...recent, exists: existsSync(recent.path) }))
  }

  add(path: string, name: string): void {
    const opened = { path, name, opened_at: new Date().toISOString() }
    this.#change((recents) => [opened, ...without(recents, path)])
  }

  remove(path: string): void {
    this.#change((recents) => without(recents, path))
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

const without = (recents: readonly Recent[], path: string): Recent[] => recents.filter((recent) => recent.path !== path)
