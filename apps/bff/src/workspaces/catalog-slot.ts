import type { Catalog } from '@nirs-workspace/storage'

interface Held {
  catalog: Catalog
  users: number
  retired: boolean
}

/** The catalog in use. A newer one takes its place at once; the old one is closed when the last query on it has ended. */
export class CatalogSlot {
  #held: Held | undefined
  #isClosed = false
  readonly #firstPut = Promise.withResolvers<void>()
  /** Resolves when the first catalog is there. */
  readonly filled: Promise<void> = this.#firstPut.promise

  get current(): Catalog | undefined {
    return this.#held?.catalog
  }

  /** What comes after the end is closed at once. */
  put(catalog: Catalog): void {
    if (this.#isClosed) {
      catalog.close()
      return
    }
    const old = this.#held
    this.#held = { catalog, users: 0, retired: false }
    this.#firstPut.resolve()
    if (old !== undefined) retire(old)
  }

  /** Runs a query on the catalog of this moment; undefined when there is none. */
  async use<T>(work: (catalog: Catalog) => Promise<T>): Promise<T | undefined> {
    const held = this.#held
    if (held === undefined) return undefined
    held.users += 1
    try {
      return await work(held.catalog)
    } finally {
      held.users -= 1
      closeIfUnused(held)
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#held !== undefined) retire(this.#held)
    this.#held = undefined
  }
}

const retire = (held: Held): void => {
  held.retired = true
  closeIfUnused(held)
}

const closeIfUnused = (held: Held): void => {
  if (held.retired && held.users === 0) held.catalog.close()
}
