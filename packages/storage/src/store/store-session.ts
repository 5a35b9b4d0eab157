import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { storeTables as knownTables } from '../catalog/catalog-schema.ts'
import { attachWritable, detach, quotedIdentifier } from '../engine/attach-store.ts'
import { Engine, withEngine } from '../engine/open-engine.ts'
import { isStorageError, StorageError } from '../errors.ts'
import { exists } from '../files/move-file.ts'
import { acquireWorkspaceLock, type WorkspaceLock } from '../files/workspace-lock.ts'
import { toWriteError } from '../files/write-error.ts'
import { createWorkspace } from '../merge/create-target.ts'
import { recoverUnderLock } from '../migration/recover-workspace.ts'
import { tellWarnings } from '../migration/tell-warnings.ts'
import { layoutOf } from '../migration/workspace-layout.ts'
import { refuseLinksFor } from '../trash/trash-places.ts'
import { checkedTables } from '../workspace/checked-stores.ts'
import { asUnreadable, claimStore, withAttachedStore } from '../workspace/open-store.ts'
import { resolveWorkspace } from '../workspace/resolve-workspace.ts'
import { logFlusher } from './log-flusher.ts'
import { requireDuckdb, resolveAgain, resolveWritable } from './resolve-writable.ts'

/** The name under which the store is attached. Reads go to `temp.main.<table>`, which have all columns in stores of every release. */
export const storeAlias = 'store'
export const written = (table: string): string => `${storeAlias}.main.${table}`
export const seen = (table: string): string => `temp.main.${table}`

/** What a store that is open for writing has for its changes. */
export interface Held {
  readonly lock: WorkspaceLock
  /** After a commit: its log keeps its name whatever happens. Done at the end of every change; before it by who removes something first. */
  readonly flushLog: () => Promise<void>
}

/** A store open for reading or writing. One statement after the other: there is one connection. */
export interface StoreSession {
  readonly root: string
  readonly isWritable: boolean
  /** Whether arrays lie in the store itself, as with releases before 0.8; as it was when it was last read. */
  readonly hasArrayTable: boolean
  read<T>(work: (engine: Engine) => Promise<T>): Promise<T>
  /** Throws `read_only` when the store is open for reading. */
  write<T>(work: (engine: Engine, held: Held) => Promise<T>): Promise<T>
  /** Lets go of the store, but not of the workspace lock, while a job of another part works on it. */
  aside<T>(work: (lock: WorkspaceLock) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** For reading: the store is held only while a question is answered, so that training can go on. */
export const openReading = async (path: string): Promise<StoreSession> => {
  const { root, duckdb, sqlite, kind } = await resolveWorkspace(path)
  if (kind !== 'workspace' || duckdb === null || sqlite !== null) throw noDuckdb(path)
  const turn = new Turn()
  let hasArrayTable = false
  const read = <T>(work: (engine: Engine) => Promise<T>): Promise<T> =>
    turn.take(() =>
      withEngine({}, (engine) =>
        withAttachedStore(engine, duckdb, storeAlias, async ({ tables }) => {
          hasArrayTable = tables.has('prediction_arrays')
          await makeViews(engine, tables)
          return work(engine)
        }),
      ),
    )
  const refuse = async (): Promise<never> => {
    throw new StorageError('read_only', 'The store was opened for reading. Nothing was changed.', {
      path: root,
      hint: "Open it with mode 'write'.",
    })
  }
  await read(async () => undefined)
  return {
    root,
    isWritable: false,
    get hasArrayTable() {
      return hasArrayTable
    },
    read,
    write: refuse,
    aside: refuse,
    close: () => turn.end(),
  }
}

/**
 * For writing: the workspace lock and the store are held until it is closed. What a job that died has left is put in order first. What the
 * disk refuses, now or later, is `write_failed` or `read_only`.
 */
export const openWriting = (path: string, create: boolean): Promise<StoreSession> => coded(() => beginWriting(path, create))

const coded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw toWriteError(error, 'What was saved before is safe; the next opening puts in order what was begun.')
  }
}

const beginWriting = async (path: string, create: boolean): Promise<StoreSession> => {
  const place = await resolveWritable(path, create)
  if (place.store !== null) await refuseLinksFor(layoutOf(place.root))
  const lock = await acquireWorkspaceLock(place.root, { jobId: `store-${randomUUID().slice(0, 8)}`, kind: 'workspace-store' })
  try {
    const layout = layoutOf(place.root)
    if (place.store === null && !(await exists(layout.store))) await createWorkspace(place.root)
    tellWarnings((await recoverUnderLock(layout)).warnings ?? [])
    const { root, store } = await resolveAgain(place)
    const session = new WritingSession(root, store ?? layout.store, lock)
    await session.attach()
    return session
  } catch (error) {
    await lock.release()
    throw error
  }
}

class WritingSession implements StoreSession {
  readonly root: string
  readonly isWritable = true
  readonly hasArrayTable = false
  readonly #path: string
  readonly #lock: WorkspaceLock
  readonly #flushLog: () => Promise<void>
  readonly #turn = new Turn()
  #attached: { engine: Engine; giveBack: () => void } | undefined

  constructor(root: string, path: string, lock: WorkspaceLock) {
    this.root = root
    this.#path = path
    this.#lock = lock
    this.#flushLog = logFlusher(layoutOf(root))
  }

  async attach(): Promise<void> {
    const giveBack = await claimStore(this.#path)
    const engine = await Engine.open()
    try {
      await attachWritable(engine, this.#path, storeAlias)
      await makeViews(engine, await checkedTables(engine, this.#path, storeAlias))
      // Linking a run to a project takes this index away for a moment.
      await engine.run(`CREATE INDEX IF NOT EXISTS idx_runs_project_id ON ${written('runs')}(project_id)`)
      this.#attached = { engine, giveBack }
    } catch (error) {
      engine.close()
      giveBack()
      throw asUnreadable(this.#path, error)
    }
  }

  read<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    return this.#turn.take(async () => work(await this.#engine()))
  }

  write<T>(work: (engine: Engine, held: Held) => Promise<T>): Promise<T> {
    return this.#turn.take(() =>
      coded(async () => {
        const result = await work(await this.#engine(), { lock: this.#lock, flushLog: this.#flushLog })
        await this.#flushLog()
        return result
      }),
    )
  }

  aside<T>(work: (lock: WorkspaceLock) => Promise<T>): Promise<T> {
    return this.#turn.take(async () => {
      await this.#engine()
      await this.#detach()
      try {
        return await work(this.#lock)
      } finally {
        // What was done is done, also when another program has the store for now: who needs it next tries again, and says what is wrong.
        await this.#attachAgain().catch(() => undefined)
      }
    })
  }

  close(): Promise<void> {
    return this.#turn.end(() =>
      coded(async () => {
        try {
          await this.#detach()
        } finally {
          await this.#lock.release()
        }
      }),
    )
  }

  /** Attached again where another program had the store after `aside`: a few times, as who reads it does so for moments. */
  async #engine(): Promise<Engine> {
    for (let pause = 50; this.#attached === undefined; pause *= 2) {
      try {
        await this.#attachAgain()
      } catch (error) {
        if (pause > 1600 || !isStorageError(error, 'store_locked')) throw error
        await sleep(pause)
      }
    }
    return this.#attached.engine
  }

  /** Attaching makes what is not there: by now another program may have put another store in its place. */
  async #attachAgain(): Promise<void> {
    await requireDuckdb(this.root)
    await this.attach()
  }

  async #detach(): Promise<void> {
    if (this.#attached === undefined) return
    const { engine, giveBack } = this.#attached
    this.#attached = undefined
    try {
      await engine.run(`CHECKPOINT ${storeAlias}`)
      await detach(engine, storeAlias)
    } catch (error) {
      engine.close()
      giveBack()
      throw error
    }
    await engine.release()
    giveBack()
  }
}

export const storeClosed = (): StorageError =>
  new StorageError('validation', 'The store was closed. Nothing was changed.', { hint: 'Open the workspace again.' })

/** One piece of work after the other; none after the end. */
class Turn {
  #last: Promise<unknown> = Promise.resolve()
  #ended: Promise<void> | undefined

  take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(storeClosed())
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  end(work: () => Promise<void> = async () => undefined): Promise<void> {
    this.#ended ??= this.#last.then(work)
    return this.#ended
  }
}

const makeViews = async (engine: Engine, tables: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> => {
  for (const [table, columns] of Object.entries(knownTables)) {
    const there = tables.get(table)
    const absent = columns.filter(({ name }) => there?.has(name) !== true)
    const nulls = absent.map(({ name, type }) => `NULL::${type} AS ${quotedIdentifier(name)}`)
    const source = there === undefined ? 'WHERE false' : `FROM ${written(quotedIdentifier(table))}`
    const selected = there === undefined ? nulls : ['*', ...nulls]
    await engine.run(`CREATE OR REPLACE TEMP VIEW ${quotedIdentifier(table)} AS SELECT ${selected.join(', ')} ${source}`)
  }
}

const noDuckdb = (path: string) =>
  new StorageError('not_a_workspace', 'There is no store.duckdb here. Nothing was changed.', {
    path,
    hint: 'A workspace with a store.sqlite can be listed, exported and merged into a new one.',
  })
