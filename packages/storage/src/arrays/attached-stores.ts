import { attachReadOnly, detach, quotedIdentifier } from '../engine/attach-store.ts'
import type { Engine } from '../engine/open-engine.ts'
import { StorageError } from '../errors.ts'
import { checkedTables } from '../workspace/checked-stores.ts'

interface Attachment {
  readonly alias: string
  /** The columns of its table of arrays. */
  readonly ready: Promise<ReadonlySet<string>>
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
  async acquire(path: string): Promise<{ relation: string; columns: ReadonlySet<string>; release: () => Promise<void> }> {
    const attachment = this.#attached.get(path) ?? this.#attach(path)
    attachment.users += 1
    try {
      return {
        relation: `${quotedIdentifier(attachment.alias)}.main.prediction_arrays`,
        columns: await attachment.ready,
        release: () => this.#release(path, attachment),
      }
    } catch (error) {
      this.#forget(path, attachment)
      throw error
    }
  }

  #attach(path: string): Attachment {
    this.#count += 1
    const alias = `store_${this.#count}`
    const attachment = { alias, users: 0, ready: this.#open(path, alias) }
    this.#attached.set(path, attachment)
    return attachment
  }

  async #open(path: string, alias: string): Promise<ReadonlySet<string>> {
    await this.#closing
    await attachReadOnly(this.#engine, path, alias)
    try {
      return arrayColumns(path, await checkedTables(this.#engine, path, alias))
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

const arrayColumns = (path: string, tables: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> => {
  const columns = tables.get('prediction_arrays')
  if (columns !== undefined) return columns
  throw new StorageError('arrays_missing', 'The store no longer holds the table prediction_arrays. Nothing was changed.', {
    path,
    hint: 'Reload the workspace.',
  })
}
