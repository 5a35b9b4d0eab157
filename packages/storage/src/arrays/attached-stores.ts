import * as z from 'zod'
import { attachReadOnly, detach, quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'

interface Attachment {
  readonly alias: string
  readonly ready: Promise<void>
  users: number
}

/**
 * Legacy stores attached read-only for as long as somebody reads them: attached by the first reader, detached by the last, so that the
 * lock lasts no longer than a read takes. One engine must not attach a file twice.
 */
export class AttachedStores {
  readonly #engine: Engine
  readonly #attached = new Map<string, Attachment>()
  #closing: Promise<void> = Promise.resolve()
  #count = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The `prediction_arrays` table of the store at `path`, as a name for FROM; call `release` afterwards. */
  async acquire(path: string): Promise<{ relation: string; release: () => Promise<void> }> {
    const attachment = this.#attached.get(path) ?? this.#attach(path)
    attachment.users += 1
    try {
      await attachment.ready
    } catch (error) {
      this.#forget(path, attachment)
      throw error
    }
    return {
      relation: `${quotedIdentifier(attachment.alias)}.main.prediction_arrays`,
      release: () => this.#release(path, attachment),
    }
  }

  #attach(path: string): Attachment {
    this.#count += 1
    const alias = `store_${this.#count}`
    const attachment = { alias, users: 0, ready: this.#open(path, alias) }
    this.#attached.set(path, attachment)
    return attachment
  }

  async #open(path: string, alias: string): Promise<void> {
    await this.#closing
    await attachReadOnly(this.#engine, path, alias)
    try {
      await requireTable(this.#engine, path, alias)
    } catch (error) {
      await detach(this.#engine, alias)
      throw error
    }
  }

  async #release(path: string, attachment: Attachment): Promise<void> {
    attachment.users -= 1
    if (attachment.users > 0) return
    this.#forget(path, attachment)
    this.#closing = this.#closing.then(() => detach(this.#engine, attachment.alias))
    await this.#closing
  }

  #forget(path: string, attachment: Attachment): void {
    if (this.#attached.get(path) === attachment) this.#attached.delete(path)
  }
}

const Found = z.object({ tables: z.number(), views: z.number() })

// A view of this name could run anything that its author liked; only a real table is read.
const requireTable = async (engine: Engine, path: string, alias: string): Promise<void> => {
  const where = "database_name = $alias AND schema_name = 'main'"
  const found = await engine.one(
    Found,
    `SELECT (SELECT count(*) FROM duckdb_tables() WHERE ${where} AND table_name = 'prediction_arrays') AS tables,
            (SELECT count(*) FROM duckdb_views() WHERE ${where} AND view_name = 'prediction_arrays') AS views`,
    { alias },
  )
  if (found.tables === 1) return
  if (found.views > 0) {
    throw new StorageError('store_unsafe', 'The store holds a view in place of the table prediction_arrays and was not read.', { path })
  }
  throw new StorageError('arrays_missing', 'The store no longer holds the table prediction_arrays. Nothing was changed.', {
    path,
    hint: 'Reload the workspace.',
  })
}
